"""Candles from a venue: what is asked, what comes out, and that nonsense is an error and never an empty history."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from apps.markets.domain.instruments import VENUES
from apps.markets.domain.timeframes import Timeframe
from apps.markets.gateways import venue_candles
from apps.markets.gateways.venue_candles import fetch_candles, offers, page_ms, reach_ms
from apps.markets.gateways.venue_errors import BadAnswerError
from apps.markets.tests.factories_candles import NEW_YEAR

HOUR = 3_600_000
NOW = datetime(2024, 6, 1, tzinfo=UTC)


class _Client:
    """Answers as ccxt does with `number=str`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Any = []
        self.asked: list[dict[str, Any]] = []

    def fetch_ohlcv(self, symbol: str, timeframe: str, **more: Any) -> Any:
        self.asked.append({"symbol": symbol, "timeframe": timeframe, **more})
        return self.answer


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> _Client:
    made = _Client()

    @contextmanager
    def lend(_venue: str, **_more: object) -> Iterator[_Client]:
        yield made

    monkeypatch.setattr(venue_candles, "market_client", lend)
    return made


def _fetch(venue: str, hours: int = 3) -> Any:
    return fetch_candles(
        venue=venue, symbol="BTC/USDT", timeframe=Timeframe.H1, from_ms=NEW_YEAR, to_ms=NEW_YEAR + hours * HOUR, now=NOW
    )


def test_text_becomes_the_nearest_number_and_nothing_becomes_nan(client: _Client) -> None:
    client.answer = [[NEW_YEAR, "0.00001412", "42", "1e-8", "1.5", None], [NEW_YEAR + HOUR, "1", "2", "1", "2", "3"]]
    table = _fetch("binance")
    assert table[0, :5].tolist() == [NEW_YEAR, 0.00001412, 42.0, 1e-8, 1.5]
    assert np.isnan(table[0, 5])
    assert len(table) == 2


def test_a_page_is_asked_for_with_both_ends(client: _Client) -> None:
    _fetch("binance")
    assert client.asked == [
        {
            "symbol": "BTC/USDT",
            "timeframe": "1h",
            "since": NEW_YEAR,
            "limit": 3,
            "params": {"until": NEW_YEAR + 3 * HOUR - 1},
        }
    ]


def test_what_was_not_asked_for_is_left_out(client: _Client) -> None:
    client.answer = [[NEW_YEAR + hour * HOUR, "1", "1", "1", "1", "0"] for hour in range(-2, 6)]
    assert _fetch("kraken")[:, 0].tolist() == [NEW_YEAR, NEW_YEAR + HOUR, NEW_YEAR + 2 * HOUR]


@pytest.mark.parametrize(
    "answer",
    [{}, None, "html", [["x", 1, 2, 3, 4, 5]], [[NEW_YEAR, 1]], [[NEW_YEAR, "1", "2", "1", "two", "3"]], [7], [{}]],
)
def test_another_shape_is_an_error(client: _Client, answer: Any) -> None:
    client.answer = answer
    with pytest.raises(BadAnswerError):
        _fetch("binance")


@pytest.mark.parametrize("venue", VENUES)
def test_every_venue_has_its_manner(venue: str) -> None:
    assert all(offers(venue=venue, timeframe=one) for one in (Timeframe.M1, Timeframe.H1, Timeframe.D1))
    assert page_ms(venue=venue, timeframe=Timeframe.H1) >= 300 * HOUR
    newest = int(NOW.timestamp() * 1000)
    assert reach_ms(venue=venue, timeframe=Timeframe.H1, now_ms=newest) == (
        newest - 719 * HOUR if venue == "kraken" else 0
    )


def test_what_nobody_offers() -> None:
    assert not offers(venue="coinbase", timeframe=Timeframe.H4)
    assert not offers(venue="binanceus", timeframe=Timeframe.H1)
