"""Candles from a venue's public REST side: one page at a time, as numbers, unjudged; the gate judges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from apps.markets.domain.candles import Floats
from apps.markets.domain.timeframes import Timeframe
from apps.markets.gateways.ccxt_client import asking, market_client
from apps.markets.gateways.venue_errors import BadAnswerError

_COLUMNS: Final = 6
_ALL: Final = tuple(Timeframe)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a venue hands out candles: how many a page, of which lengths, and whether only the newest page exists."""

    page: int
    timeframes: tuple[Timeframe, ...] = _ALL
    only_newest: bool = False
    cost: float = 1.0


MANNERS: Final = {
    "binance": Manner(page=1000, cost=2.0),
    "coinbase": Manner(page=300, timeframes=tuple(one for one in _ALL if one != Timeframe.H4)),
    "kraken": Manner(page=720, only_newest=True),
    "kucoin": Manner(page=1500, cost=2.0),
}


def offers(*, venue: str, timeframe: Timeframe) -> bool:
    """Tell whether a venue has candles of that length."""
    return venue in MANNERS and timeframe in MANNERS[venue].timeframes


def page_ms(*, venue: str, timeframe: Timeframe) -> int:
    """Return how much time one page covers."""
    return MANNERS[venue].page * timeframe.milliseconds


def reach_ms(*, venue: str, timeframe: Timeframe, now_ms: int) -> int:
    """Return how far back the venue's candles go at most."""
    manner = MANNERS[venue]
    if not manner.only_newest:
        return 0
    return timeframe.ceil(now_ms - (manner.page - 1) * timeframe.milliseconds)  # the newest of a page is the open one


def fetch_candles(*, venue: str, symbol: str, timeframe: Timeframe, from_ms: int, to_ms: int, now: datetime) -> Floats:
    """Return the candles that open in `[from, to)`, at most a page of them, as the venue tells them."""
    manner = MANNERS[venue]
    limit = min(manner.page, -(-(to_ms - from_ms) // timeframe.milliseconds))
    with market_client(venue, now=now) as client, asking(venue, now=now, calls=manner.cost):
        answer: Any = client.fetch_ohlcv(
            symbol, timeframe.value, since=from_ms, limit=manner.page if manner.only_newest else limit,
            params={} if manner.only_newest else {"until": to_ms - 1},
        )  # fmt: skip
        table = _table(answer)
    inside = (table[:, 0] >= from_ms) & (table[:, 0] < to_ms)
    return table[inside]


def _table(answer: Any) -> Floats:  # noqa: ANN401 - whatever ccxt has made of the answer
    if not isinstance(answer, list):
        raise BadAnswerError
    rows = [[_number(value) for value in _six(row)] for row in answer]
    return np.array(rows, dtype=np.float64).reshape(-1, _COLUMNS)


def _six(row: Any) -> Sequence[Any]:  # noqa: ANN401 - see above
    if not isinstance(row, list | tuple) or len(row) < _COLUMNS or not isinstance(row[0], int):
        raise BadAnswerError
    return row[:_COLUMNS]


def _number(value: Any) -> float:  # noqa: ANN401 - text, number or nothing
    return float("nan") if value is None else float(value)
