"""Watchlists: over REST as their owner uses them, and what an action refuses."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.core.errors import InvalidError, NotFoundError
from apps.markets import actions
from apps.markets.actions import watchlists
from apps.markets.models import Watchlist, WatchlistItem
from apps.markets.tests.factories import make_instrument, make_item, make_watchlist

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


def test_a_list_from_first_to_last(api: Api) -> None:
    make_instrument("binance:BTC/USDT")
    make_instrument("kraken:ETH/USD")
    made = api.post("watchlists", {"name": "Long"})
    assert made.status_code == 201
    path = f"watchlists/{body_of(made)['id']}"
    first = api.post(f"{path}/items", {"instrument": "binance:BTC-USDT", "note": "Halving"})
    assert (first.status_code, body_of(first)["instrument"]) == (201, "binance:BTC/USDT")
    assert api.post(f"{path}/items", {"instrument": "kraken:ETH/USD"}).status_code == 201
    again = api.post(f"{path}/items", {"instrument": "binance:BTC/USDT", "note": "Other"})
    assert (again.status_code, body_of(again)) == (200, body_of(first))
    items = body_of(api.get(path))["items"]
    assert [(item["instrument"], item["note"]) for item in items] == [
        ("binance:BTC/USDT", "Halving"),
        ("kraken:ETH/USD", ""),
    ]
    assert api.put(f"{path}/order", {"ids": [items[1]["id"]]}).status_code == 204
    noted = api.patch(f"{path}/items/{items[1]['id']}", {"note": "Merge"})
    assert body_of(noted)["note"] == "Merge"
    assert api.delete(f"{path}/items/{items[0]['id']}").status_code == 204
    assert body_of(api.patch(path, {"name": "Short"}))["name"] == "Short"
    (only,) = body_of(api.get("watchlists"))["results"]
    assert (only["name"], [item["note"] for item in only["items"]]) == ("Short", ["Merge"])
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_a_repeated_post_makes_one_list(api: Api, user: User) -> None:
    first = api.post("watchlists", {"name": "Long"}, HTTP_IDEMPOTENCY_KEY="once")
    again = api.post("watchlists", {"name": "Long"}, HTTP_IDEMPOTENCY_KEY="once")
    assert body_of(first) == body_of(again)
    assert Watchlist.objects.for_user(user).count() == 1
    other = api.post("watchlists", {"name": "long"})
    assert (other.status_code, body_of(other)["code"]) == (409, "watchlist_name_taken")
    assert api_of(make_user()).post("watchlists", {"name": "Long"}).status_code == 201


@pytest.mark.parametrize("name", ["", " ", "x" * 81, None, "a\x00b"])
def test_a_list_needs_a_name(api: Api, name: object) -> None:
    assert api.post("watchlists", {"name": name}).status_code == 422


@pytest.mark.parametrize(("instrument", "code"), [("nonsense", "invalid"), ("binance:NO/USDT", "unknown_instrument")])
def test_only_known_instruments_are_watched(api: Api, user: User, instrument: str, code: str) -> None:
    answer = api.post(f"watchlists/{make_watchlist(user=user).pk}/items", {"instrument": instrument})
    assert answer.status_code == 422
    assert (body_of(answer)["errors"][0]["field"], body_of(answer)["errors"][0]["code"]) == ("instrument", code)


def test_lists_and_items_are_bounded(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchlists, "MOST_LISTS", 1)
    monkeypatch.setattr(watchlists, "MOST_ITEMS", 1)
    row = make_watchlist(user=user)
    make_item(row, "binance:BTC/USDT")
    make_instrument("kraken:ETH/USD")
    with pytest.raises(actions.TooManyListsError):
        actions.create_watchlist(user=user, name="More", now=clock.now())
    with pytest.raises(actions.TooManyItemsError):
        actions.add_to_watchlist(user=user, watchlist_id=row.pk, instrument="kraken:ETH/USD", now=clock.now())


def test_what_is_put_back_on_a_full_list_is_refused(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchlists, "MOST_ITEMS", 1)
    row = make_watchlist(user=user)
    kept = actions.drop_item(user=user, watchlist_id=row.pk, item_id=make_item(row, "binance:BTC/USDT").pk)
    make_item(row, "kraken:ETH/USD")
    with pytest.raises(actions.TooManyItemsError):
        actions.put_back(user=user, kept=kept, now=clock.now())
    assert [item.instrument for item in row.items.all()] == ["kraken:ETH/USD"]


@pytest.mark.django_db(transaction=True)
def test_lists_and_items_are_bounded_also_for_those_who_ask_at_once(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchlists, "MOST_LISTS", 3)
    monkeypatch.setattr(watchlists, "MOST_ITEMS", 3)
    monkeypatch.setattr(watchlists, "_refuse_taken", lambda *_names: time.sleep(0.1))  # all have counted by now
    row = make_watchlist(user=user)
    for number in range(6):
        make_instrument(f"binance:C{number}/USDT")

    def make(number: int) -> None:
        with suppress(actions.TooManyListsError):
            actions.create_watchlist(user=user, name=f"List {number}", now=clock.now())
        with suppress(actions.TooManyItemsError):
            actions.add_to_watchlist(
                user=user, watchlist_id=row.pk, instrument=f"binance:C{number}/USDT", now=clock.now()
            )
        connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(make, range(6)))
    assert Watchlist.objects.for_user(user).count() == 3
    assert row.items.count() == 3


def test_lists_are_put_in_order(api: Api, user: User) -> None:
    one, two, three = (make_watchlist(user=user, name=str(number), position=number) for number in range(3))
    assert api.put("watchlists/order", {"ids": [str(three.pk), str(one.pk), str(three.pk)]}).status_code == 204
    assert [row["name"] for row in body_of(api.get("watchlists"))["results"]] == ["2", "0", "1"]
    foreign = make_watchlist(user=make_user())
    assert api.put("watchlists/order", {"ids": [str(foreign.pk)]}).status_code == 422
    assert two.position == 1


def test_an_item_of_another_list_or_person_is_not_there(user: User) -> None:
    mine, other = make_watchlist(user=user), make_watchlist(user=user, name="Other")
    theirs = make_watchlist(user=make_user())
    item = make_item(mine)
    with pytest.raises(InvalidError):
        actions.order_items(user=user, watchlist_id=other.pk, ids=[item.pk])
    for row in (other, theirs):
        with pytest.raises(NotFoundError):
            actions.note_on_item(user=user, watchlist_id=row.pk, item_id=item.pk, note="Mine now")
        with pytest.raises(NotFoundError):
            actions.remove_from_watchlist(user=user, watchlist_id=row.pk, item_id=item.pk)
    assert WatchlistItem.objects.get().note == ""


def test_lists_keep_their_number_of_queries(
    api: Api, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_item(make_watchlist(user=user))
    api.get("watchlists")
    with CaptureQueriesContext(connection) as few:
        api.get("watchlists")
    row = make_watchlist(user=user, name="More")
    for number in range(5):
        make_item(row, f"binance:C{number}/USDT")
    with django_assert_num_queries(len(few)):
        api.get("watchlists")
