"""The live process: the socket and nothing else. Pages, admin and REST are under WSGI."""

import os
from typing import Any

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from apps.core import clock  # noqa: E402 - the apps can be imported once Django is set up
from apps.live.actions import SOCKET_PATH  # noqa: E402
from apps.live.broadcast import Broadcast  # noqa: E402
from apps.live.consumers import LiveConsumer  # noqa: E402
from apps.live.domain.origins import allowed_origins  # noqa: E402
from apps.live.hub import Hub  # noqa: E402
from apps.operations.heartbeat import start_heartbeat  # noqa: E402


class Lifespan:
    """Runs the loops of the live process from its start to its end."""

    def __init__(self, broadcast: Broadcast, *, process_name: str) -> None:
        self._broadcast = broadcast
        self._process_name = process_name

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await receive()
        async with self._broadcast.running():
            if self._process_name:
                start_heartbeat(self._process_name)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def not_here(scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
    """Answer what is not the socket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
        return
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": 404, "headers": head})
    await send({"type": "http.response.body", "body": b"Only the live socket is here.\n"})


def live_application(hub: Hub, *, process_name: str = "") -> ProtocolTypeRouter:
    """Wire one hub to the socket's address and to the event stream; a named process gives signs of life."""
    consumer = LiveConsumer.as_asgi(hub=hub, origins=allowed_origins(settings.PUBLIC_URL))
    routes = [path(SOCKET_PATH.removeprefix("/"), consumer), re_path("", not_here)]  # type: ignore[arg-type]  # the socket's router takes ASGI applications
    return ProtocolTypeRouter(
        {
            "websocket": URLRouter(routes),
            "http": not_here,
            "lifespan": Lifespan(Broadcast(hub), process_name=process_name),
        },
    )


application = live_application(Hub(now=clock.now), process_name="live")
