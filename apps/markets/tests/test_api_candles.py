"""REST: candles as the contract has them, the quarantine, and how good a series is."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from django.http import HttpResponse

from apps.accounts.models import Role
from apps.accounts.tests.factories import Api, api_of, make_user
from apps.core import clock
from apps.core.testing import assert_queries
from apps.markets import actions
from apps.markets.domain.candles import Candles
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import Backfill, CandleSource, Instrument, QuarantinedCandle
from apps.markets.tests.factories import make_instrument
from apps.markets.tests.factories_candles import NEW_YEAR, make_candles, make_table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

HOUR = 3_600_000
ASK = "candles?instrument=binance:BTC/USDT&timeframe=1h"


@pytest.fixture
def pair() -> Instrument:
    return make_instrument(active=False)


@pytest.fixture
def api() -> Api:
    return api_of(make_user())


@pytest.fixture
def stored(pair: Instrument) -> Candles:
    candles = make_candles(1_000)
    actions.store_candles(
        instrument=pair, timeframe=Timeframe.H1, candles=candles, source=CandleSource.VENUE, now=clock.now()
    )
    return candles


def _json(answer: HttpResponse) -> Any:
    return orjson.loads(answer.content)


def _rows(candles: Candles) -> list[list[float]]:
    return [list(row) for row in candles.rows()]


def _all_pages(api: Api, address: str) -> list[list[float]]:
    found: list[list[float]] = []
    while address:
        body = _json(api.get(address))
        found += body["results"]
        following = body["next"]
        address = "" if following is None else _path_of(following)
    return found


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path.removeprefix('/api/v1/')}?{parts.query}"


def test_the_latest_come_without_from(api: Api, stored: Candles) -> None:
    body = _json(api.get(f"{ASK}&limit=10"))
    assert (body["instrument"], body["timeframe"]) == ("binance:BTC/USDT", "1h")
    assert body["results"] == _rows(stored.latest(10))
    assert (body["open_candle"], body["next"], body["pending"], body["made_from"]) == (None, None, False, ["1h"])
    assert isinstance(body["results"][0][0], int)
    assert len(_json(api.get(ASK))["results"]) == 500


def test_a_range_is_half_open_and_takes_both_ways_of_writing(api: Api, stored: Candles) -> None:
    start, end = NEW_YEAR + 10 * HOUR, NEW_YEAR + 20 * HOUR
    wanted = _rows(stored.between(start, end))
    assert _json(api.get(f"{ASK}&from={start}&to={end}"))["results"] == wanted
    assert _json(api.get(f"{ASK}&from=2024-01-01T10:00:00Z&to=2024-01-01T20:00:00Z"))["results"] == wanted
    assert _json(api.get(f"{ASK}&from={start + 1}&to={end}"))["results"] == wanted[1:]
    assert _json(api.get(f"{ASK}&from={end}&to={end}"))["results"] == []


def test_next_leads_through_the_whole_range(api: Api, stored: Candles) -> None:
    assert _all_pages(api, f"{ASK}&from={NEW_YEAR}&limit=300") == _rows(stored)


def test_previous_leads_back(api: Api, stored: Candles) -> None:
    body = _json(api.get(f"{ASK}&limit=100"))
    older = _json(api.get(_path_of(body["previous"])))
    assert older["results"] == _rows(stored.pick(slice(800, 900)))


def test_the_instrument_may_be_written_as_in_an_address(api: Api, stored: Candles) -> None:
    assert len(_json(api.get("candles?instrument=binance:BTC-USDT&timeframe=4h&limit=5"))["results"]) == 5


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("instrument=binance:NO/PE&timeframe=1h", 404),
        ("instrument=nowhere:BTC/USDT&timeframe=1h", 404),
        ("instrument=garbage&timeframe=1h", 404),
        ("timeframe=1h", 422),
        ("instrument=binance:BTC/USDT", 422),
        ("instrument=binance:BTC/USDT&timeframe=2h", 422),
        ("instrument=binance:BTC/USDT&timeframe=1h&limit=0", 422),
        ("instrument=binance:BTC/USDT&timeframe=1h&limit=5001", 422),
        ("instrument=binance:BTC/USDT&timeframe=1h&limit=many", 422),
        ("instrument=binance:BTC/USDT&timeframe=1h&from=yesterday", 422),
        ("instrument=binance:BTC/USDT&timeframe=1h&from=2024-01-02T00:00:00Z&to=2024-01-01T00:00:00Z", 422),
    ],
)
def test_bad_questions_are_refused_in_words(api: Api, stored: Candles, query: str, status: int) -> None:
    answer = api.get(f"candles?{query}")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert _json(answer)["detail"]


def test_an_unchanged_answer_is_not_sent_again(api: Api, stored: Candles, pair: Instrument) -> None:
    first = api.get(ASK)
    etag = first["ETag"]
    again = api.get(ASK, HTTP_IF_NONE_MATCH=etag)
    assert (again.status_code, again.content) == (304, b"")
    assert api.get(f"{ASK}&limit=5", HTTP_IF_NONE_MATCH=etag).status_code == 200
    other = make_candles(1_000, seed=5).latest(1)
    actions.store_candles(
        instrument=pair, timeframe=Timeframe.H1, candles=other, source=CandleSource.VENUE, now=clock.now()
    )
    changed = api.get(ASK, HTTP_IF_NONE_MATCH=etag)
    assert changed.status_code == 200
    assert _json(changed)["results"][-1] == _rows(other)[0]


def test_five_thousand_come_at_once(api: Api, pair: Instrument) -> None:
    candles = make_candles(6_000, timeframe=Timeframe.M1)
    actions.store_candles(
        instrument=pair, timeframe=Timeframe.M1, candles=candles, source=CandleSource.VENUE, now=clock.now()
    )
    body = _json(api.get("candles?instrument=binance:BTC/USDT&timeframe=1m&limit=5000"))
    assert body["results"] == _rows(candles.latest(5_000))


def test_what_is_missing_is_fetched_once(api: Api, stored: Candles) -> None:
    Instrument.objects.update(active=True)
    first = _json(api.get(f"{ASK}&limit=50"))
    assert first["pending"] is True
    assert first["results"] == _rows(stored.latest(50)), "what is there is shown meanwhile"
    work = Backfill.objects.get()
    assert _json(api.get(f"{ASK}&limit=50"))["pending"] is True
    assert Backfill.objects.get() == work


def test_the_number_of_questions_does_not_grow(api: Api, stored: Candles) -> None:
    api.get(ASK)  # the question for blocks goes by the binary protocol and is not among those counted
    with assert_queries(7):
        api.get(f"{ASK}&limit=100")
    with assert_queries(7):
        api.get(f"{ASK}&limit=900")


# --- Quality and quarantine -------------------------------------------------------------------------------------------
def _with_spike(pair: Instrument) -> QuarantinedCandle:
    table = make_table(make_candles(100))
    table[40, 2] *= 10
    table[40, 4] *= 10
    actions.take_in(instrument=pair, timeframe=Timeframe.H1, table=table, source=CandleSource.VENUE, now=clock.now())
    return QuarantinedCandle.objects.get()


def test_the_quarantine_is_seen_by_all_and_settled_by_those_who_run_it(api: Api, pair: Instrument) -> None:
    row = _with_spike(pair)
    listed: list[dict[str, Any]] = _json(api.get("candles/quarantine?state=open"))["results"]
    assert [(one["code"], one["instrument"], one["ts"], one["state"]) for one in listed] == [
        ("spike", "binance:BTC/USDT", row.ts, "open")
    ]
    assert len(listed[0]["raw"]) == 6
    assert api.post(f"candles/quarantine/{row.pk}/release").status_code == 403
    admin = api_of(make_user(role=Role.ADMIN))
    released = admin.post(f"candles/quarantine/{row.pk}/release")
    assert (released.status_code, _json(released)["state"]) == (200, "released")
    assert admin.post(f"candles/quarantine/{row.pk}/discard").status_code == 409
    assert _json(api.get("candles/quarantine?state=open"))["results"] == []
    shown = _json(api.get(f"{ASK}&from={row.ts}&limit=1"))["results"]
    assert shown[0][4] == float(row.raw[4])


def test_quality_is_told_by_timeframe(api: Api, pair: Instrument) -> None:
    _with_spike(pair)
    body = _json(api.get("instruments/binance:BTC-USDT/quality"))
    one = body["results"][0]
    assert (one["timeframe"], one["count"], one["missing"], one["quarantined"]) == ("1h", 99, 1, 1)
    assert api.get("instruments/binance:NO-PE/quality").status_code == 404


def test_rows_are_numbers_that_come_back_exactly(stored: Candles) -> None:
    written = orjson.loads(orjson.dumps(stored.rows()))
    assert written == _rows(stored)


def test_the_present_hour_is_never_among_the_closed(api: Api, pair: Instrument) -> None:
    present = clock.now()
    start = Timeframe.H1.floor(int(present.timestamp() * 1000)) - 3 * HOUR
    candles = make_candles(8, start=start)
    actions.store_candles(
        instrument=pair,
        timeframe=Timeframe.H1,
        candles=candles,
        source=CandleSource.VENUE,
        now=present + timedelta(hours=10),
    )
    times = [row[0] for row in _json(api.get(ASK))["results"]]
    assert times == [start, start + HOUR, start + 2 * HOUR]
