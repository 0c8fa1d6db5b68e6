"""`manage.py feed`: the process that brings prices in, until it is told to stop."""

import asyncio
import os
import signal
import sys
import threading
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from apps.core import clock
from apps.markets.hub import Feed

log = structlog.get_logger(__name__)

OFF = "off"


class Command(BaseCommand):
    """Streams prices."""

    help = "Stream prices from the exchanges, build minutes, and publish both. Two of them: one leads, one waits."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 - Django's signature
        if settings.FEED == OFF:
            self.stderr.write("FEED is off: there is nothing to stream. Set it to simulator or live and start again.")
            return
        heartbeat = import_string(settings.HEARTBEAT)("feed")
        try:
            _run()
        finally:
            heartbeat.stop()
        if _is_a_thread_left():  # a venue is being asked; its answer must not hold the end up
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


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


def _is_a_thread_left() -> bool:
    return any(
        thread.is_alive() and not thread.daemon
        for thread in threading.enumerate()
        if thread is not threading.main_thread()
    )
