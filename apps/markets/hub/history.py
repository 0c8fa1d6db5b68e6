"""The feed's way to tables, always in threads: finished minutes to the candle store, holes to be mended."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Final, TypeVar, cast

import structlog
from django.db import Error as DatabaseError
from django.db import connections

from apps.markets import actions
from apps.markets.domain.prices import OpenCandle

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
_ASIDE: Final = "feed-aside"


async def off_loop(call: Callable[[], _T]) -> _T:
    """Call something that waits for a table or a venue, beside the loop; it does not hold the end of the process up."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_T] = loop.create_future()

    def work() -> None:
        result, error = _outcome(call)
        connections.close_all()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, answer, result, error)

    threading.Thread(target=work, name=_ASIDE, daemon=True).start()
    return await answer


def leave(*, patience: float = 1.0) -> None:
    """End the process if calls beside the loop do not end in time; return if none is left.

    The ordinary end of Python stops such threads wherever they are, and one that is importing a module keeps the lock
    of it: whatever asks for the same module on the way out then waits for ever.
    """
    until = time.monotonic() + patience
    for thread in [one for one in threading.enumerate() if one.name == _ASIDE]:
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


def _outcome(call: Callable[[], _T]) -> tuple[_T | None, BaseException | None]:
    try:
        return call(), None
    except BaseException as error:  # noqa: BLE001 - it is raised again, where it was asked for
        return None, error


def _settle(answer: "asyncio.Future[_T]", result: _T | None, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(cast("_T", result))


async def store(minutes: Sequence[tuple[str, OpenCandle]], *, now: datetime) -> None:
    """Store finished minutes; should the database be away, the venues' own history brings them later."""
    rows = [(name, minute.row) for name, minute in minutes]
    with _kept_going("Minutes could not be stored; they come with the history"):
        await off_loop(partial(actions.store_minutes, minutes=rows, now=now))


async def mend(names: Sequence[str], *, from_ms: int, now: datetime) -> None:
    """Ask for the history of what was missed."""
    with _kept_going("Missing minutes could not be asked for; the sweep of the history finds them"):
        asked = await off_loop(partial(actions.mend_minutes, names=names, from_ms=from_ms, now=now))
        log.info("Minutes that were missed are asked for", pairs=len(names), series=asked)


@contextmanager
def _kept_going(words: str) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        log.warning(words, error=str(error).strip()[:200])
