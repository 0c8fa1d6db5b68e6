"""Pages of the exchanges."""

from apps.exchanges.views.connect import choose, connect, new_key
from apps.exchanges.views.connections import (
    card,
    disconnect,
    exchanges,
    forget_keys,
    history,
    pause,
    rename,
    resume,
    sync,
    sync_all,
)

__all__ = [
    "card",
    "choose",
    "connect",
    "disconnect",
    "exchanges",
    "forget_keys",
    "history",
    "new_key",
    "pause",
    "rename",
    "resume",
    "sync",
    "sync_all",
]
