"""The fan-out: one hub a process holds every socket and sends each the newest values of what it watches."""

from apps.live.hub.clients import Client, Limits
from apps.live.hub.fanout import Hub
from apps.live.hub.line import SocketLine
from apps.live.hub.reader import Reader

__all__ = ["Client", "Hub", "Limits", "Reader", "SocketLine"]
