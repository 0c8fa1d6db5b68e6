"""The pages of the markets: who sees what, what a star does, and that what is deleted can be put back."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Role, User
from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.core.ids import uuid7
from apps.markets.actions.candles import series_for, store_candles
from apps.markets.actions.summaries import make_summaries
from apps.markets.domain.candles import from_rows
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import CandleSource, MarketSummary, QuarantinedCandle, QuarantineState, Watchlist
from apps.markets.tests.factories import make_instrument, make_item, make_price, make_watchlist

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BTC = "binance:BTC/USDT"


@pytest.fixture
def person() -> User:
    """Somebody who looks at the pages."""
    return make_user()


@pytest.fixture
def client(person: User) -> Client:
    """Return a browser in which they are signed in."""
    browser = Client()
    browser.force_login(person)
    return browser


def names_on(watchlist: Watchlist) -> list[str]:
    return list(watchlist.items.in_order().values_list("instrument", flat=True))


# --- The table ------------------------------------------------------------------------------------------------------
def test_the_table_says_prices_changes_and_their_week(client: Client) -> None:
    instrument = make_instrument(BTC, volume_usd="1240000000")
    make_price(BTC, price="71842.1", change="0.0118")
    MarketSummary.objects.create(instrument=instrument, closes=[1.0, 2.0, 3.0], price_1h_ago=71000, price_7d_ago=73000)
    page = client.get(reverse("markets:markets"))
    for words in ("Bitcoin", "71,842.10", "+1.18%", "+1.19%", "1.59%", "1.24B", "Simulated"):
        assert words in page.text
    assert 'data-spark="0w_"' in page.text


@pytest.mark.parametrize("minute", [0, 18, 59])
def test_the_change_of_a_week_is_known_at_any_minute(client: Client, minute: int) -> None:
    now, hour = NOW.replace(minute=minute), Timeframe.H1.milliseconds
    newest = Timeframe.H1.floor(int(now.timestamp() * 1000)) - hour
    rows = [(newest - at * hour, 50.0, 50.0, 50.0, 50.0, 1.0) for at in range(200)][::-1]
    store_candles(
        instrument=make_instrument(BTC),
        timeframe=Timeframe.H1,
        candles=from_rows(rows),
        source=CandleSource.VENUE,
        now=now,
    )
    make_summaries(now=now)
    make_price(BTC, price="60")
    row = client.get(reverse("markets:markets")).context["page"].rows[0]
    assert (row.change_1h, row.change_7d) == (Decimal("0.2"), Decimal("0.2"))


def test_the_table_is_filtered_sorted_and_paged_without_a_script(client: Client) -> None:
    for name in (BTC, "kraken:BTC/EUR", "kraken:ETH/EUR"):
        make_instrument(name)
    found = client.get(
        reverse("markets:markets"), {"words": "btc", "venue": "kraken", "sort": "nonsense", "page": "99"}
    )
    assert [str(row.name) for row in found.context["page"].rows] == ["kraken:BTC/EUR"]


def test_a_script_gets_the_table_alone_and_all_rows_in_short(client: Client) -> None:
    make_instrument(BTC)
    make_price(BTC, price="71842.1", change="0.0118")
    part = client.get(reverse("markets:markets"), headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert 'id="market-table"' in part.text
    rows = client.get(reverse("markets:rows")).json()["rows"]
    assert rows[0][:5] == [BTC, "Bitcoin", "Binance", 2, "71842.1"]


def test_what_is_not_known_is_said(client: Client) -> None:
    assert "No markets yet" in client.get(reverse("markets:markets")).text
    make_instrument(BTC)
    page = client.get(reverse("markets:markets"))
    assert "No prices have arrived yet" in page.text
    make_price(BTC)
    assert "0 of 1 markets have their week" in client.get(reverse("markets:markets")).text
    assert "Nothing of that name here" in client.get(reverse("markets:markets"), {"words": "zzz"}).text


def test_the_other_world_is_not_shown(client: Client) -> None:
    make_instrument(BTC, simulated=False)
    assert client.get(reverse("markets:rows")).json() == {"rows": []}
    assert client.get(reverse("markets:asset", args=["binance:BTC-USDT"])).status_code == 404


def test_the_search_from_anywhere_puts_the_ticker_first(client: Client) -> None:
    make_instrument("kraken:WBTC/USD", volume_usd="900")
    make_instrument(BTC, volume_usd="5")
    found = client.get(reverse("markets:find"), {"words": "btc"}).json()["results"]
    assert [row["instrument"] for row in found] == [BTC, "kraken:WBTC/USD"]
    assert found[0]["href"] == "/markets/binance:BTC-USDT/"
    assert client.get(reverse("markets:find")).json() == {"results": []}


def test_the_table_asks_the_same_number_of_questions_however_long_it_is(
    client: Client, django_assert_max_num_queries: object
) -> None:
    for count in range(12):
        make_instrument(f"kraken:C{count}/USD")
    client.get(reverse("markets:rows"))
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        client.get(reverse("markets:rows"))


# --- One market -----------------------------------------------------------------------------------------------------
def test_one_market_is_compared_with_other_venues(client: Client) -> None:
    for name, price in (
        (BTC, "100"),
        ("kraken:BTC/USD", "100.1"),
        ("kraken:BTC/EUR", "92"),
        ("coinbase:BTC/EUR", "92"),
    ):
        make_instrument(name)
        make_price(name, price=price)
    page = client.get(reverse("markets:asset", args=["binance:BTC-USDT"]))
    assert "+10.0 bp" in page.text
    assert "in EUR" in page.text
    assert "All 4 pairs of BTC" in page.text
    assert "100.00" in page.text
    assert "Kept out" not in page.text


def test_a_market_says_its_ranges_and_how_good_its_candles_are(client: Client) -> None:
    instrument, hour = make_instrument(BTC), Timeframe.H1.milliseconds
    now_ms = int(clock.now().timestamp() * 1000)
    make_price(BTC, price="110")
    first = Timeframe.H1.floor(now_ms) - 2000 * hour
    rows = [(first + at * hour, 100.0, 120.0, 90.0, 100.0, 3.0) for at in range(2000) if at != 1000]
    store_candles(
        instrument=instrument,
        timeframe=Timeframe.H1,
        candles=from_rows(rows),
        source=CandleSource.VENUE,
        now=clock.now(),
    )
    page = client.get(reverse("markets:asset", args=["binance:BTC-USDT"]))
    for words in ("24 hours", "30 days", "90.00", "120.00", "+10.00%", "1,999", "1 missing"):
        assert words in page.text
    assert "1 year" not in page.text


def test_an_asset_leads_to_its_largest_market(client: Client) -> None:
    make_instrument(BTC, volume_usd="1")
    make_instrument("kraken:BTC/USD", volume_usd="2")
    assert client.get("/assets/btc/")["Location"] == "/markets/kraken:BTC-USD/"
    assert client.get("/assets/NONE/").status_code == 404
    assert client.get("/markets/nonsense/").status_code == 404


def make_kept_out(name: str = BTC) -> QuarantinedCandle:
    series = series_for(instrument=make_instrument(name), timeframe=Timeframe.H1)
    ts = int(NOW.timestamp() * 1000)
    raw = [str(ts), "100", "1100", "90", "1000", "5"]
    return QuarantinedCandle.objects.create(
        series=series, ts=ts, raw=raw, code="spike", source=CandleSource.VENUE, found_at=NOW, seen_at=NOW
    )


def test_who_runs_the_instance_decides_on_what_was_kept_out() -> None:
    candle, browser = make_kept_out(), Client()
    browser.force_login(make_user(role=Role.ADMIN))
    assert "leaps tenfold" in browser.get(reverse("markets:asset", args=["binance:BTC-USDT"])).text
    address = reverse("markets:settle", args=["binance:BTC-USDT", candle.pk])
    assert browser.post(address, {"decision": "discard"})["Location"] == "/markets/binance:BTC-USDT/"
    candle.refresh_from_db()
    assert candle.state == QuarantineState.DISCARDED
    assert "decided on already" in browser.post(address, {"decision": "release"}, follow=True).text


def test_others_do_not_decide(client: Client) -> None:
    candle = make_kept_out()
    address = reverse("markets:settle", args=["binance:BTC-USDT", candle.pk])
    assert client.post(address, {"decision": "release"}).status_code == 404
    candle.refresh_from_db()
    assert candle.state == QuarantineState.OPEN


# --- Stars ----------------------------------------------------------------------------------------------------------
def test_a_star_makes_the_first_list_and_a_second_press_takes_it_off(client: Client, person: User) -> None:
    make_instrument(BTC)
    on = client.post(reverse("markets:watch"), {"instrument": BTC})
    assert 'data-watched="true"' in on.text
    watchlist = Watchlist.objects.get(owner=person)
    assert names_on(watchlist) == [BTC]
    off = client.post(reverse("markets:watch"), {"instrument": BTC})
    assert 'data-watched="false"' in off.text
    assert names_on(watchlist) == []


def test_the_small_menu_names_all_lists_and_makes_a_new_one(client: Client, person: User) -> None:
    make_instrument(BTC)
    make_watchlist(user=person, name="Long")
    assert "Long" in client.get(reverse("markets:watch_menu"), {"instrument": BTC}).text
    client.post(reverse("markets:watch"), {"instrument": BTC, "new": "Short"})
    assert names_on(Watchlist.objects.get(owner=person, name="Short")) == [BTC]
    again = client.post(reverse("markets:watch"), {"instrument": BTC, "new": "short"})
    assert "another name" in again.text
    assert client.post(reverse("markets:watch"), {"instrument": "nonsense"}).status_code == 404


# --- Watchlists -----------------------------------------------------------------------------------------------------
def test_a_list_is_made_renamed_and_filled(client: Client, person: User) -> None:
    make_instrument("kraken:BTC/USD")
    client.post(reverse("markets:create_watchlist"), {"name": "Long"})
    watchlist = Watchlist.objects.get(owner=person)
    client.post(reverse("markets:rename_watchlist", args=[watchlist.pk]), {"name": "Longer"})
    client.post(reverse("markets:add_to_watchlist", args=[watchlist.pk]), {"instrument": "btc"})
    watchlist.refresh_from_db()
    assert (watchlist.name, names_on(watchlist)) == ("Longer", ["kraken:BTC/USD"])
    unknown = client.post(
        reverse("markets:add_to_watchlist", args=[watchlist.pk]), {"instrument": "kraken:NO/USD"}, follow=True
    )
    assert "not an instrument that is known here" in unknown.text


def test_a_deleted_list_comes_back_with_notes_where_it_stood(client: Client, person: User) -> None:
    first = make_watchlist(user=person, name="First")
    second = make_watchlist(user=person, name="Second", position=1)
    make_instrument(BTC)
    make_item(watchlist=first, name=BTC, note="Wait for 60,000")
    client.post(reverse("markets:delete_watchlist", args=[first.pk]))
    assert list(Watchlist.objects.for_user(person)) == [second]
    assert "was deleted" in client.get(reverse("markets:watchlists")).text
    client.post(reverse("markets:undo"))
    back = Watchlist.objects.get(owner=person, name="First")
    assert [row.name for row in Watchlist.objects.for_user(person).in_order()] == ["First", "Second"]
    assert list(back.items.values_list("instrument", "note")) == [(BTC, "Wait for 60,000")]
    client.post(reverse("markets:undo"))
    assert Watchlist.objects.for_user(person).count() == 2


def test_what_was_taken_off_comes_back_where_it_stood(client: Client, person: User) -> None:
    watchlist = make_watchlist(user=person)
    names = [BTC, "kraken:ETH/USD", "kraken:ADA/USD"]
    for name in names:
        make_instrument(name)
        make_item(watchlist=watchlist, name=name, position=names.index(name))
    middle = watchlist.items.get(instrument=names[1])
    client.post(reverse("markets:remove", args=[watchlist.pk, middle.pk]))
    assert names_on(watchlist) == [names[0], names[2]]
    client.post(reverse("markets:undo"))
    assert names_on(watchlist) == names


def test_order_and_notes_are_kept(client: Client, person: User) -> None:
    watchlist = make_watchlist(user=person)
    items = [make_item(watchlist, name, position=at) for at, name in enumerate((BTC, "kraken:ETH/USD"))]
    asks = {"HX-Request": "true"}
    turned = " ".join(str(item.pk) for item in reversed(items))
    order = reverse("markets:order_watchlist", args=[watchlist.pk])
    assert client.post(order, {"ids": turned}, headers=asks).status_code == 204
    assert names_on(watchlist) == ["kraken:ETH/USD", BTC]
    assert client.post(order, {"ids": "nonsense"}, headers=asks).status_code == 422
    note = reverse("markets:note", args=[watchlist.pk, items[0].pk])
    assert client.post(note, {"note": "<b>Wait</b>"}, headers=asks).status_code == 204
    assert "&lt;b&gt;Wait" in client.get(reverse("markets:watchlist", args=[watchlist.pk])).text


def test_lists_of_others_do_not_exist(client: Client) -> None:
    theirs = make_watchlist(user=make_user())
    item = make_item(watchlist=theirs, name=BTC)
    make_instrument(BTC)
    asked = {
        "rename_watchlist": {"name": "Mine"},
        "delete_watchlist": {},
        "add_to_watchlist": {"instrument": BTC},
        "order_watchlist": {"ids": str(item.pk)},
    }
    answers = [client.post(reverse(f"markets:{name}", args=[theirs.pk]), body) for name, body in asked.items()]
    answers += [client.post(reverse(f"markets:{name}", args=[theirs.pk, item.pk])) for name in ("note", "remove")]
    answers += [client.get(reverse("markets:watchlist", args=[one])) for one in (theirs.pk, uuid4(), uuid7())]
    assert {answer.status_code for answer in answers} == {404}
    assert names_on(theirs) == [BTC]
