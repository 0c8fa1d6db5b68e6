"""Candles for a reader: what is stored goes out at once, and what is missing is asked for."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from apps.markets.actions.history import request_history
from apps.markets.domain.candles import expected
from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.timeframes import Timeframe
from apps.markets.queries.candles import CandlePage, Ladder, Span, ladder, read_page
from apps.markets.queries.catalogue import instrument

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Served:
    """The page and the stamp of its state; without a page the reader's own is still right."""

    stamp: str
    page: CandlePage | None = None


def read_candles(
    *, name: InstrumentName, timeframe: Timeframe, span: Span, now: datetime, known_stamp: str = ""
) -> Served:
    """Return candles of an instrument, unless the reader has this state already; fetch what is missing later."""
    now_ms = int(now.timestamp() * 1000)
    steps = ladder(instrument=instrument(name=name), timeframe=timeframe)
    stamp = steps.stamp(span=span, now_ms=now_ms)
    if stamp == known_stamp:
        return Served(stamp)
    page = read_page(ladder=steps, span=span, now_ms=now_ms)
    if _ask(steps, span, page, now) and not steps.pending:
        steps = replace(steps, pending=True)
        stamp, page = steps.stamp(span=span, now_ms=now_ms), replace(page, pending=True)
    return Served(stamp, page)


def _ask(steps: Ladder, span: Span, page: CandlePage, now: datetime) -> bool:
    """Queue what the page lacks of its stretch of time; False when nothing is missing or nobody can be asked."""
    frame, length = steps.timeframe, steps.timeframe.milliseconds
    closed = frame.closed_before(int(now.timestamp() * 1000))
    end = closed if span.to_ms is None else min(frame.ceil(span.to_ms), closed)
    start = end - span.limit * length if span.from_ms is None else frame.ceil(span.from_ms)
    end = min(end, start + span.limit * length)
    if start >= end or len(page.candles.between(start, end)) == expected(frame, start, end):
        return False
    work = request_history(instrument=steps.instrument, timeframe=frame, from_=_moment(start), to=_moment(end), now=now)
    return work is not None


def _moment(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=max(0, ms))
