"""`manage.py feed`: the process that brings prices in, until it is told to stop."""

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.core import clock
from apps.markets.hub import Feed

OFF = "off"


class Command(BaseCommand):
    """Streams prices."""

    help = "Stream prices from the exchanges, build minutes, and publish both. Two of them: one leads, one waits."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        if settings.FEED == OFF:
            self.stderr.write("FEED is off: there is nothing to stream. Set it to simulator or live and start again.")
            return
        _run()


def _run() -> None:
    loop = _new_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    feed = Feed(now=clock.now, per_venue=settings.FEED_INSTRUMENTS)
    try:
        loop.run_until_complete(feed.run(stop))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # comes with uvicorn, but not on every system
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
