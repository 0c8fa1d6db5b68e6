"""The feed's way to tables, always in threads: finished minutes to the candle store, holes to be mended."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import structlog
from django.db import Error as DatabaseError
from django.db import connections

from apps.markets.actions.history import mend_minutes
from apps.markets.actions.minutes import store_minutes
from apps.markets.domain.prices import OpenCandle

log = structlog.get_logger(__name__)

_T = TypeVar("_T")


async def off_loop(call: Callable[[], _T]) -> _T:
    """Call something that asks the database, in a thread, and leave no connection behind."""
    return await asyncio.to_thread(_closing, call)


def _closing(call: Callable[[], _T]) -> _T:
    try:
        return call()
    finally:
        connections.close_all()


async def store(minutes: Sequence[tuple[str, OpenCandle]], *, now: datetime) -> None:
    """Store finished minutes; should the database be away, the venues' own history brings them later."""
    try:
        await off_loop(lambda: store_minutes(minutes=minutes, now=now))
    except DatabaseError as error:
        log.warning("Minutes could not be stored; they come with the history", error=str(error).strip()[:200])


async def mend(names: Sequence[str], *, from_ms: int, now: datetime) -> None:
    """Ask for the history of what was missed."""
    try:
        await off_loop(lambda: mend_minutes(names=set(names), from_ms=from_ms, now=now))
    except DatabaseError as error:
        log.warning("Missed minutes could not be asked for; the sweep finds them", error=str(error).strip()[:200])
