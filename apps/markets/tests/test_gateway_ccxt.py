"""ccxt as we let it out: answers that are none raise, errors are ours, manners are kept."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.core.breaker import BreakerOpenError
from apps.core.locks import TokenBucket
from apps.markets.domain.instruments import VENUES, DayFigures, InstrumentName, Listing
from apps.markets.gateways import ccxt_client, venue_rest
from apps.markets.gateways.venue_errors import (
    BadAnswerError,
    Heard,
    VenueBlockedError,
    VenueBusyError,
    VenueRefusedError,
    VenueUnavailableError,
    classified,
)
from apps.markets.tests.venue_server import VenueServer, venue_server

NOW = datetime(2025, 11, 21, 10, 30, tzinfo=UTC)
FAULTS: list[tuple[int, bytes, dict[str, str], type[Exception]]] = [
    (200, b"<html>Maintenance</html>", {"Content-Type": "text/html"}, BadAnswerError),
    (200, b'{"symbols": [{"symbol": "BTC', {}, BadAnswerError),
    (200, b"", {}, BadAnswerError),
    (200, b"null", {}, BadAnswerError),
    (200, b"{}", {}, BadAnswerError),
    (200, b"[]", {}, BadAnswerError),
    (429, b'{"code": -1003, "msg": "Too many requests."}', {"Retry-After": "7"}, VenueBusyError),
    (418, b"teapot", {"Retry-After": "99999999"}, VenueBusyError),
    (500, b'{"error": "internal", "error_details": "x", "message": "x"}', {}, VenueUnavailableError),
    (503, b"<html></html>", {}, VenueUnavailableError),
    (451, b'{"code": 0, "msg": "Service unavailable from a restricted location"}', {}, VenueBlockedError),
]


@pytest.fixture
def server(settings: Any) -> Iterator[VenueServer]:
    """A stand-in for all four exchanges."""
    with venue_server() as stand_in:
        settings.EXCHANGE_BASE_URLS = dict.fromkeys(VENUES, stand_in.url)
        for venue in VENUES:
            ccxt_client.forget_markets(venue)
        yield stand_in
    for venue in VENUES:
        ccxt_client.forget_markets(venue)


def test_listings_and_day_figures_come_exact(server: VenueServer) -> None:
    server.lay_out("binance_public.json")
    bitcoin, shiba = InstrumentName.parse("binance:BTC/USDT"), InstrumentName.parse("binance:SHIB/USDT")
    assert venue_rest.fetch_listings(venue="binance", now=NOW) == (
        Listing(bitcoin, "BTCUSDT", price_digits=2, amount_digits=5, active=True),
        Listing(shiba, "SHIBUSDT", price_digits=8, amount_digits=0, active=False),
    )
    figures = venue_rest.fetch_day_figures(venue="binance", now=NOW)
    assert figures == (
        DayFigures(bitcoin, Decimal("84213.5"), Decimal("-0.0235"), Decimal("750612999.12345678"), 1763720000000),
    )
    assert server.asked == {"/api/v3/exchangeInfo": 1, "/api/v3/ticker/24hr": 1}
    server.answers["/api/v3/exchangeInfo"] = b"{}"
    with pytest.raises(BadAnswerError):
        venue_rest.fetch_listings(venue="binance", now=NOW)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize(("status", "body", "headers", "expected"), FAULTS, ids=lambda one: repr(one)[:24])
def test_every_fault_is_an_error_of_ours(
    server: VenueServer, venue: str, status: int, body: bytes, headers: dict[str, str], expected: type[Exception]
) -> None:
    server.fault = (status, body, headers)
    with pytest.raises(expected) as raised:
        venue_rest.fetch_listings(venue=venue, now=NOW)
    if isinstance(raised.value, VenueBusyError):
        assert raised.value.retry_after in {7, 3600}


def test_async_clients_are_as_strict(server: VenueServer) -> None:
    async def ask() -> None:
        async with ccxt_client.async_client("kraken") as client, ccxt_client.asking_async("kraken", now=NOW):
            await client.fetch_ticker("BTC/USD")

    server.fault = (200, b"<html>", {})
    with pytest.raises(BadAnswerError):
        asyncio.run(ask())


def test_who_fails_five_times_is_left_alone(server: VenueServer) -> None:
    server.fault = (503, b"", {})
    for _time in range(5):
        with pytest.raises(VenueUnavailableError):
            venue_rest.fetch_listings(venue="binance", now=NOW)
    asked = server.asked.total()
    with pytest.raises(BreakerOpenError):
        venue_rest.fetch_listings(venue="binance", now=NOW)
    assert server.asked.total() == asked


def test_nobody_listens() -> None:
    with venue_server() as gone:
        url = gone.url
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ccxt_client, "address_of", lambda _venue: url)
        with pytest.raises(VenueUnavailableError):
            venue_rest.fetch_listings(venue="kucoin", now=NOW)


def test_our_own_turn_is_waited_for_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([0.01, 0.0, 1_000.0])
    monkeypatch.setattr(TokenBucket, "take", lambda _self, _tokens: next(waits))
    with ccxt_client.asking("kraken", now=NOW):
        pass
    with pytest.raises(VenueBusyError) as raised, ccxt_client.asking("kraken", now=NOW):
        pass
    assert raised.value.retry_after == 1_000


@pytest.mark.parametrize(
    ("venue", "text", "status", "expected"),
    [
        ("binance", 'binance {"code":-2015,"msg":"Invalid API-key"}', 401, VenueRefusedError),
        ("binance", 'binance {"code":-1121,"msg":"Invalid symbol."}', 400, VenueRefusedError),
        ("binance", 'binance {"code":-1008,"msg":"overloaded"}', 400, VenueUnavailableError),
        ("kraken", "kraken EService:Timeout", 200, VenueUnavailableError),
        ("kraken", "kraken EAPI:Invalid signature", 200, VenueRefusedError),
        ("kraken", "kraken EGeneral:Too many requests", 200, VenueBusyError),
        ("kucoin", 'kucoin {"code":"200002","msg":"Too many requests"}', 429, VenueBusyError),
        ("coinbase", "coinbase request timestamp expired", 401, VenueUnavailableError),
        ("coinbase", 'coinbase {"error": 1}', 500, VenueUnavailableError),
    ],
)
def test_our_table_knows_better_than_the_class(venue: str, text: str, status: int, expected: type[Exception]) -> None:
    assert type(classified(venue, RuntimeError(text), Heard(status))) is expected


def test_sockets_go_where_the_operator_says(settings: Any) -> None:
    settings.EXCHANGE_BASE_URLS = dict.fromkeys(VENUES, "http://127.0.0.1:9")

    async def sockets(venue: str) -> Any:
        client = ccxt_client.stream_client(venue)
        await client.close()
        return client.urls["api"].get("ws")

    assert asyncio.run(sockets("binance"))["spot"] == "ws://127.0.0.1:9/stream/ws"
    assert asyncio.run(sockets("coinbase")) == "ws://127.0.0.1:9"
    assert asyncio.run(sockets("kraken"))["publicV2"] == "ws://127.0.0.1:9/v2"
    assert ccxt_client.redirected("https://api.kraken.com/0/public?x=1", "https://proxy:8443") == (
        "https://proxy:8443/0/public?x=1"
    )
