"""`manage.py feed`: the process that brings prices in, until it is told to stop."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.core import clock
from apps.markets.hub import Feed
from apps.markets.hub.history import leave

OFF = "off"


class Command(BaseCommand):
    """Streams prices."""

    help = "Stream prices from the exchanges, build minutes, and publish both. Two of them: one leads, one waits."
    requires_system_checks: list[str] = []
    stealth_options = ("on_ready",)

    def handle(self, *_args: Any, on_ready: Callable[[], object] | None = None, **_options: Any) -> None:  # noqa: ANN401
        """Run; `on_ready` is called once it is known what the exchanges trade, or that they do not answer."""
        if settings.FEED == OFF:
            self.stderr.write("FEED is off: there is nothing to stream. Set it to simulator or live and start again.")
            return
        _run(on_ready or (lambda: None))


def _run(on_ready: Callable[[], object]) -> None:
    loop = _new_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    feed = Feed(now=clock.now, per_venue=settings.FEED_INSTRUMENTS, on_ready=on_ready)
    try:
        loop.run_until_complete(feed.run(stop))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
    leave()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # comes with uvicorn, but not on every system
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
