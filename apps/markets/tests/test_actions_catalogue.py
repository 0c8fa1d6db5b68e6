"""Reading the lists of venues: what is new, what changed, what vanished, and what must not be believed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import AuditEntry
from apps.accounts.tests.factories import api_of, body_of, make_owner
from apps.core.errors import NotFoundError
from apps.core.locks import lock
from apps.markets import actions
from apps.markets.actions import catalogue
from apps.markets.domain.instruments import DayFigures, Listing
from apps.markets.gateways.venue_errors import BadAnswerError, VenueUnavailableError
from apps.markets.models import Asset, AssetCode, CandleGap, CandleSeries, Instrument
from apps.markets.tests.factories import make_asset, make_figures, make_instrument, make_listing

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAIRS = ("BTC/USDT", "ETH/USDT", "ETH/BTC", "SOL/USDT", "EUR/USDT")


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> "_Venue":
    """Stand in for the exchange: its list and its figures are what the test says."""
    stand_in = _Venue()
    monkeypatch.setattr(catalogue, "fetch_listings", stand_in.listings)
    monkeypatch.setattr(catalogue, "fetch_day_figures", stand_in.day_figures)
    return stand_in


class _Venue:
    def __init__(self) -> None:
        self.list: Sequence[Listing] = _listings(*PAIRS)
        self.figures: Sequence[DayFigures] = ()
        self.problem: Exception | None = None
        self.asked: list[str] = []

    def listings(self, *, venue: str, now: datetime) -> Sequence[Listing]:
        self.asked.append(venue)
        if self.problem:
            raise self.problem
        return [one for one in self.list if one.name.venue == venue]

    def day_figures(self, *, venue: str, now: datetime) -> Sequence[DayFigures]:
        return [one for one in self.figures if one.name.venue == venue]


def _listings(*pairs: str, venue: str = "binance") -> list[Listing]:
    return [make_listing(f"{venue}:{pair}") for pair in pairs]


def _state(symbol: str) -> tuple[bool, datetime | None, datetime | None]:
    row = Instrument.objects.get(venue="binance", symbol=symbol)
    return row.active, row.missing_since, row.vanished_at


def test_the_first_list_makes_instruments_and_assets(venue: _Venue) -> None:
    done = actions.refresh_markets(venue="binance", now=NOW)
    assert (done.listed, len(done.added), done.vanished, done.doubted) == (5, 5, (), 0)
    row = Instrument.objects.select_related("base", "quote").get(symbol="EUR/USDT")
    assert (str(row), row.simulated, row.active, row.first_seen_at) == ("binance:EUR/USDT", True, True, NOW)
    assert (row.base.kind, row.base.digits, row.base.name) == ("fiat", 2, "Euro")
    assert (row.quote.kind, row.quote.peg) == ("stablecoin", "USD")
    assert AssetCode.objects.filter(place="binance", code="EUR", asset=row.base).exists()
    again = actions.refresh_markets(venue="binance", now=NOW + HOUR)
    assert (again.added, again.changed) == ((), ())
    assert Instrument.objects.filter(last_seen_at=NOW + HOUR, first_seen_at=NOW).count() == 5


def test_what_changes_is_changed(venue: _Venue) -> None:
    actions.refresh_markets(venue="binance", now=NOW)
    venue.list = [make_listing("binance:BTC/USDT", active=False, price_digits=4), *_listings(*PAIRS[1:])]
    assert actions.refresh_markets(venue="binance", now=NOW + HOUR).changed == ("binance:BTC/USDT",)
    row = Instrument.objects.get(symbol="BTC/USDT")
    assert (row.active, row.price_digits, row.vanished_at) == (False, 4, None)


def test_what_vanishes_stays_known_and_may_return(venue: _Venue) -> None:
    actions.refresh_markets(venue="binance", now=NOW)
    venue.list = _listings(*PAIRS[:3], "EUR/USDT")
    done = actions.refresh_markets(venue="binance", now=NOW + HOUR)
    assert done.vanished == ("binance:SOL/USDT",)
    assert _state("SOL/USDT") == (False, NOW + HOUR, NOW + HOUR)
    assert not Asset.objects.get(symbol="SOL").is_active
    assert actions.refresh_markets(venue="binance", now=NOW + 2 * HOUR).vanished == ()
    series = [CandleSeries.objects.create(instrument=one, timeframe="1h") for one in Instrument.objects.all()]
    for one in series:
        CandleGap.objects.create(series=one, from_ms=0, to_ms=1, checked_at=NOW, next_try_at=NOW + 7 * HOUR)
    venue.list = _listings(*PAIRS)
    assert actions.refresh_markets(venue="binance", now=NOW + 3 * HOUR).changed == ("binance:SOL/USDT",)
    assert _state("SOL/USDT") == (True, None, None)
    due = CandleGap.objects.filter(next_try_at__lte=NOW + 3 * HOUR).values_list("series__instrument__symbol", flat=True)
    assert list(due) == ["SOL/USDT"], "its history is asked for at once"
    assert Asset.objects.get(symbol="SOL").is_active


def test_an_absurdly_small_list_needs_a_second_one_that_says_the_same(venue: _Venue) -> None:
    actions.refresh_markets(venue="binance", now=NOW)
    venue.list = _listings("BTC/USDT")
    doubtful = actions.refresh_markets(venue="binance", now=NOW + HOUR)
    assert (doubtful.vanished, doubtful.doubted) == ((), 4)
    assert _state("ETH/USDT") == (True, NOW + HOUR, None)
    at_once = actions.refresh_markets(venue="binance", now=NOW + HOUR + timedelta(seconds=5))
    assert at_once.vanished == ()
    venue.list = _listings("BTC/USDT", "ETH/USDT")
    confirmed = actions.refresh_markets(venue="binance", now=NOW + 2 * HOUR)
    assert sorted(confirmed.vanished) == ["binance:ETH/BTC", "binance:EUR/USDT", "binance:SOL/USDT"]
    assert _state("ETH/USDT") == (True, None, None)


def test_no_list_changes_nothing(venue: _Venue) -> None:
    actions.refresh_markets(venue="binance", now=NOW)
    venue.problem = BadAnswerError()
    with pytest.raises(BadAnswerError):
        actions.refresh_markets(venue="binance", now=NOW + HOUR)
    assert Instrument.objects.active().filter(last_seen_at=NOW).count() == 5


def test_the_other_world_and_other_venues_are_left_alone(venue: _Venue) -> None:
    make_instrument("binance:OLD/USDT", simulated=False, now=NOW)
    make_instrument("kraken:OLD/USD", now=NOW)
    actions.refresh_markets(venue="binance", now=NOW + HOUR)
    assert Instrument.objects.filter(symbol__startswith="OLD", active=True, vanished_at=None).count() == 2


def test_a_renamed_coin_is_the_same_asset_and_a_taken_ticker_another(venue: _Venue) -> None:
    venue.list = [*_listings("MATIC/USDT", "POL/USDT", "LUNA/USDT"), *_listings("XMAT/USD", venue="kraken")]
    AssetCode.objects.create(asset=make_asset("POL"), place="kraken", code="XMAT")
    actions.refresh_markets(venue="binance", now=NOW)
    actions.refresh_markets(venue="kraken", now=NOW)
    bases = dict(Instrument.objects.values_list("symbol", "base__symbol"))
    assert bases == {"MATIC/USDT": "POL", "POL/USDT": "POL", "LUNA/USDT": "LUNA", "XMAT/USD": "POL"}


def test_merged_assets_are_one_from_then_on(venue: _Venue) -> None:
    owner = make_owner()
    venue.list = _listings("OLD/USDT", "NEW/USDT")
    actions.refresh_markets(venue="binance", now=NOW)
    actions.merge_assets(actor=owner, source="OLD", target="NEW", now=NOW)
    assert set(Instrument.objects.values_list("base__symbol", flat=True)) == {"NEW"}
    assert AuditEntry.objects.get().detail == {"source": "OLD", "target": "NEW"}
    venue.list = _listings("OLD/USDT", "NEW/USDT", "OLD/BTC", "OLD/EUR")
    actions.refresh_markets(venue="binance", now=NOW + HOUR)
    assert Instrument.objects.get(symbol="OLD/EUR").base.symbol == "NEW"
    for source, target in (("NEW", "OLD"), ("NEW", "NEW"), ("NEW", "NONE")):
        with pytest.raises(actions.MergeError):
            actions.merge_assets(actor=owner, source=source, target=target, now=NOW)
    with pytest.raises(NotFoundError):
        actions.merge_assets(actor=owner, source="NONE", target="NEW", now=NOW)


def test_a_person_says_what_a_code_means(venue: _Venue) -> None:
    api = api_of(make_owner())
    make_asset("REPV2")
    venue.list = _listings("REP/USDT", "ETH/REP")
    actions.refresh_markets(venue="binance", now=NOW)
    body = {"place": "binance", "code": "REP", "from": "2020-01-01T00:00:00Z"}
    made = api.post("assets/REPV2/codes", body)
    assert (made.status_code, body_of(made)["from"], body_of(made)["until"]) == (201, "2020-01-01T00:00:00Z", None)
    assert Instrument.objects.get(symbol="REP/USDT").base.symbol == "REPV2"
    assert Instrument.objects.get(symbol="ETH/REP").quote.symbol == "REPV2"
    assert api.post("assets/REPV2/codes", body).status_code == 201
    venue.list = _listings("REP/USDT", "ETH/REP", "REP/BTC")
    actions.refresh_markets(venue="binance", now=NOW + HOUR)
    assert Instrument.objects.get(symbol="REP/BTC").base.symbol == "REPV2"
    contract = {"place": "ethereum", "code": "0x221657776846890989a759ba2973e427dff5c9bb"}
    assert api.post("assets/REPV2/codes", contract).status_code == 201
    assert [row["place"] for row in body_of(api.get("assets/REPV2/codes"))["results"]] == ["binance", "ethereum"]
    assert body_of(api.get(f"assets/{contract['code']}"))["symbol"] == "REPV2"
    assert api.post("assets/REPV2/codes", {**body, "until": "2019-01-01"}).status_code == 422
    assert api.post("assets/NONE/codes", body).status_code == 404
    assert body_of(api.post("assets/REP/merge", {"into": "REPV2"}))["symbol"] == "REPV2"
    assert api.post("assets/REP/merge", {"into": "NONE"}).status_code == 409


def test_due_venues_are_read_and_one_that_fails_does_not_stop_the_others(venue: _Venue) -> None:
    venue.list = [*_listings("BTC/USDT"), *_listings("BTC/USD", venue="kraken")]
    make_instrument("coinbase:BTC/USD", now=NOW - timedelta(minutes=59))
    with lock("markets:refresh:kucoin", seconds=5):
        done = actions.refresh_due_markets(now=NOW)
    assert [one.venue for one in done] == ["binance", "kraken"]
    venue.problem, venue.asked = VenueUnavailableError(), []
    assert actions.refresh_due_markets(now=NOW + 2 * HOUR) == ()
    assert venue.asked == ["binance", "coinbase", "kraken", "kucoin"]


@pytest.mark.django_db(transaction=True)
def test_a_reading_that_outlives_its_lock_stores_the_same_list_safely(monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_read = Barrier(2)
    monkeypatch.setattr(catalogue, "lock", lambda _name, seconds: nullcontext())

    def listings(*, venue: str, now: datetime) -> Sequence[Listing]:
        both_have_read.wait(timeout=20)
        return _listings("BTC/USDT", "ETH/USDT")

    def read() -> int:
        try:
            return len(actions.refresh_markets(venue="binance", now=NOW).added)
        finally:
            connection.close()

    monkeypatch.setattr(catalogue, "fetch_listings", listings)
    with ThreadPoolExecutor(2) as pool:
        added = [reading.result() for reading in [pool.submit(read), pool.submit(read)]]
    assert sorted(added) == [0, 2]


def test_a_list_that_the_feed_has_read_is_ranked_once_an_hour(venue: _Venue) -> None:
    make_instrument("binance:BTC/USDT", now=NOW)
    venue.list = []
    for volume in ("5", "6"):
        venue.figures = [make_figures("binance:BTC/USDT", volume=volume)]
        actions.refresh_due_markets(now=NOW)
    assert Instrument.objects.get(venue="binance").volume_usd == Decimal(5)


def test_nothing_is_read_while_the_feed_is_off(venue: _Venue, settings: object) -> None:
    settings.FEED = "off"  # type: ignore[attr-defined]
    assert actions.refresh_due_markets(now=NOW) == ()
    assert venue.asked == []


def test_pairs_are_ranked_by_what_they_trade_in_usd(venue: _Venue) -> None:
    venue.list = _listings("BTC/USD", "ETH/BTC", "DOGE/XXX")
    venue.figures = [
        make_figures("binance:BTC/USD", price="50000", volume="1000"),
        make_figures("binance:ETH/BTC", price="0.05", volume="3"),
        make_figures("binance:DOGE/XXX", volume="7"),
    ]
    actions.refresh_markets(venue="binance", now=NOW)
    assert actions.rank_markets(venue="binance", now=NOW) == 3
    ranked = Instrument.objects.here().by_size().values_list("symbol", "volume_24h", "volume_usd")
    assert list(ranked) == [
        ("ETH/BTC", Decimal(3), Decimal(150000)),
        ("BTC/USD", Decimal(1000), Decimal(1000)),
        ("DOGE/XXX", Decimal(7), None),
    ]


def test_two_thousand_pairs_take_few_queries(
    venue: _Venue, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    venue.list = _listings(*(f"C{number}/USDT" for number in range(2_000)))
    with django_assert_max_num_queries(30):
        actions.refresh_markets(venue="binance", now=NOW)
    venue.list = [make_listing(str(one.name), price_digits=3) for one in venue.list[:1_990]]
    with django_assert_max_num_queries(20):
        done = actions.refresh_markets(venue="binance", now=NOW + HOUR)
    assert (len(done.changed), len(done.vanished)) == (1_990, 10)
