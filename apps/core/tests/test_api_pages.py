"""Lists by cursor, limits on requests, times at the edge."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from pytest_django import Settings
from redis.connection import Connection

from apps.core import cache
from apps.core.api import throttles
from apps.core.api.pagination import CursorPages
from apps.core.api.throttles import client_address, network_of, parse_rate, take
from apps.core.api.time_fields import MillisecondsField, TimeField
from apps.core.api.times import TimeError, iso_z, milliseconds, parse_time
from apps.core.ids import uuid7
from apps.core.models import IdempotencyKey
from apps.core.testing import assert_queries
from apps.core.tests.api_doors import User, make_user

pytestmark = pytest.mark.urls("apps.core.tests.api_doors")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def api() -> Client:
    return Client()


def walk(api: Client, address: str) -> list[list[dict[str, Any]]]:
    """Return every page from the address on."""
    pages: list[list[dict[str, Any]]] = []
    following: str | None = address
    while following:
        assert len(pages) < 50
        parts = urlsplit(following)
        answer = api.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 200, answer.content
        pages.append(answer.json()["results"])
        following = answer.json()["next"]
    return pages


# --- Pages ----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_pages_show_every_row_once_in_order(api: Client) -> None:
    made = [str(make_user().pk) for _ in range(7)]
    pages = walk(api, "/api/people?limit=3")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [row["id"] for page in pages for row in page] == made


@pytest.mark.django_db
def test_rows_added_or_removed_meanwhile_move_nothing(api: Client) -> None:
    made = [make_user() for _ in range(4)]
    first = api.get("/api/people?limit=2").json()
    User.objects.filter(pk__in=[made[0].pk, made[1].pk]).delete()
    make_user()
    rest = walk(api, first["next"])
    assert [row["id"] for row in rest[0]] == [str(made[2].pk), str(made[3].pk)]


@pytest.mark.django_db
def test_an_order_with_twins_is_made_unique(api: Client) -> None:
    for number in range(9):
        IdempotencyKey.objects.create(
            lookup=str(number), path=f"same {number // 3}", claim=uuid7(), claimed_until=NOON, created_at=NOON
        )
    names = [row["path"] for page in walk(api, "/api/keys?limit=2") for row in page]
    assert names == ["same 2"] * 3 + ["same 1"] * 3 + ["same 0"] * 3


@pytest.mark.django_db
def test_a_page_is_one_query_and_the_last_one_says_so(api: Client) -> None:
    make_user()
    with assert_queries(1):
        answer = api.get("/api/people?limit=1").json()
    assert answer["next"] is None


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["nonsense", "a:b", "WyJpZCJd:x", "x" * 5_000, "%00", "..", ".eJw:1:x", "%ED%A0%80"])
def test_a_cursor_that_is_not_ours_is_refused(cursor: str, api: Client) -> None:
    answer = api.get(f"/api/people?cursor={cursor}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"


@pytest.mark.django_db
def test_a_cursor_of_another_list_is_refused(api: Client) -> None:
    make_user()
    make_user()
    query = urlsplit(api.get("/api/people?limit=1").json()["next"]).query
    assert api.get(f"/api/keys?{query}").status_code == 422


@pytest.mark.django_db
@pytest.mark.parametrize("limit", ["0", "-1", "51", "1.5", "x", "", "9" * 50, "%00", "\u0661"])
def test_a_limit_out_of_range_is_refused(limit: str, api: Client) -> None:
    answer = api.get(f"/api/people?limit={limit}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "limit")


def test_five_hundred_is_the_most() -> None:
    assert (CursorPages.page_size, CursorPages.max_page_size) == (100, 500)


# --- Limits ---------------------------------------------------------------------------------------------------------
def hits(scope: str) -> float:
    return REGISTRY.get_sample_value("coinsphere_throttle_hits_total", {"scope": scope}) or 0.0


def test_strangers_are_limited_by_address(api: Client, settings: Settings) -> None:
    settings.API_RATES = {"anon": "3/m", "user": "100/m"}
    before = hits("anon")
    answers = [api.get("/api/notes") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    refused = answers[-1]
    assert refused["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused["Retry-After"]) <= 20
    assert hits("anon") == before + 2
    assert api.get("/api/notes", REMOTE_ADDR="192.0.2.9").status_code == 200


@pytest.mark.django_db
def test_people_are_limited_wherever_they_are(api: Client, settings: Settings) -> None:
    settings.API_RATES = {"anon": "1/m", "user": "2/m"}
    api.force_login(make_user())
    statuses = [api.get("/api/private", REMOTE_ADDR=f"192.0.2.{number}").status_code for number in range(3)]
    assert statuses == [200, 200, 429]


def test_who_is_refused_is_counted_too(api: Client, settings: Settings) -> None:
    settings.API_RATES = {"anon": "2/m", "user": "100/m"}
    forged = {"Authorization": "Bearer eyJ.not.one"}
    assert [api.get("/api/private", headers=forged).status_code for _ in range(3)] == [401, 401, 429]
    assert api.get("/api/private").status_code == 429


def test_without_redis_memory_counts(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    cache.health.forget()
    waits = [take(scope="test", caller="without-redis", rate="2/m") for _ in range(3)]
    assert waits[:2] == [0, 0]
    assert 1 <= waits[2] <= 30


def test_a_generous_limit_is_taken_in_lots_and_holds_to_the_token() -> None:
    before = cache.redis_client().info("stats")["total_commands_processed"]
    started = time.monotonic()
    passed = 0
    while not take(scope="test", caller="lots", rate="6000/m"):
        passed += 1
    flowed_back = (time.monotonic() - started) * 100
    assert 6000 - 12 <= passed <= 6000 + flowed_back
    asked = cache.redis_client().info("stats")["total_commands_processed"] - before
    assert asked < passed  # a script of its own for each would be four commands each


def test_what_is_not_spent_in_time_is_not_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert take(scope="test", caller="slow", rate="6000/m") == 0
    cache.redis_client().flushdb()
    assert take(scope="test", caller="slow", rate="6000/m") == 0
    assert cache.redis_client().keys("*bucket*slow*") == []  # spent from what was taken before
    monkeypatch.setattr(throttles, "_LOT_SECONDS", -1.0)
    assert take(scope="test", caller="other", rate="2/m") == 0
    throttles._lots.keep("test:slow:6000/m", 11)
    assert take(scope="test", caller="slow", rate="6000/m") == 0
    assert cache.redis_client().keys("*bucket*slow*") != []


def test_a_limit_costs_one_round_trip(api: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_RATES = {**settings.API_RATES, "anon": "60/m"}  # too few to take some at a time
    api.get("/api/notes")
    trips: list[object] = []
    send = Connection.send_packed_command

    def count(connection: Connection, *words: object, **options: object) -> object:
        trips.append(words)
        return send(connection, *words, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(Connection, "send_packed_command", count)
    api.get("/api/notes")
    assert len(trips) == 1


@pytest.mark.parametrize(
    ("rate", "expected"), [("300/min", (300, 60)), ("10/15m", (10, 900)), ("5/s", (5, 1)), ("1/d", (1, 86400))]
)
def test_rates_are_read(rate: str, expected: tuple[int, int]) -> None:
    assert parse_rate(rate) == expected


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        (0, "203.0.113.7", "192.0.2.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (2, "203.0.113.7", "192.0.2.1"),
        (1, "nonsense", "unknown"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_a_forwarded_address_counts_as_far_as_we_trust(
    trusted: int, forwarded: str, expected: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected


def test_one_home_network_is_one_caller() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("unknown") == "unknown"


# --- Times ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.000+00:00",
        "2026-11-21T13:00:00+01:00",
        1795262400000,
        "1795262400000",
        NOON,
    ],
)
def test_times_are_read(text: object) -> None:
    assert parse_time(text) == NOON


def test_a_day_begins_at_midnight() -> None:
    assert parse_time("2026-11-21") == NOON.replace(hour=0)


def test_zero_is_the_beginning_and_seconds_are_not_taken_for_milliseconds() -> None:
    assert parse_time("0") == datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(TimeError):
        parse_time("1795262400")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-11-21T12:00:00",
        "2026-02-30",
        None,
        True,
        1.5,
        -1,
        10**30,
        "9" * 39,
        "0001-01-01T00:00+14:00",
        [],
    ],
)
def test_what_is_no_time_is_refused(text: object) -> None:
    with pytest.raises(TimeError):
        parse_time(text)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_times_come_back(moment: datetime) -> None:
    assert parse_time(iso_z(moment)) == moment
    assert iso_z(moment).endswith("Z")
    assert abs(parse_time(milliseconds(moment)) - moment) < timedelta(milliseconds=1)


def test_fields_write_what_the_contract_says() -> None:
    assert TimeField().to_representation(NOON) == "2026-11-21T12:00:00Z"
    assert MillisecondsField().to_representation(NOON) == 1795262400000
