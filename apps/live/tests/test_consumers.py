"""The socket over loopback: each promise of the protocol, and each abuse."""

import time
from collections.abc import Callable
from contextlib import suppress
from types import MethodType

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from apps.accounts.tests.factories import make_owner, make_user
from apps.core import clock
from apps.live.actions import issue_ticket
from apps.live.consumers import LiveConsumer
from apps.live.domain.bonds import Bond
from apps.live.hub import Hub
from apps.live.tests.conftest import PATIENCE, Talk
from apps.live.tests.factories import LiveProcess, make_family_bond, make_session_bond

Open = Callable[..., Talk]


@pytest.fixture
def bond(transactional_db: None) -> Bond:
    return make_family_bond(make_user())


def close_code(conversation: Talk, *, timeout: float = PATIENCE) -> int:
    """Return the code with which the server closes, past all frames; -1 when the line was cut without one."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            conversation.connection.recv(timeout=max(0.01, deadline - time.monotonic()))
        except ConnectionClosed as closed:
            return -1 if closed.rcvd is None else closed.rcvd.code
    raise AssertionError("the server did not close the socket")


# --- Coming in ------------------------------------------------------------------------------------------------------
def test_a_ticket_opens_the_socket_once(live: LiveProcess, bond: Bond) -> None:
    ticket = issue_ticket(bond=bond).secret
    with connect(live.address(ticket), proxy=None) as connection:
        welcome = Talk(connection).hear()
    assert welcome["op"] == "welcome"
    assert welcome["protocol"] == 1
    assert welcome["server_time"].endswith("Z")
    with connect(live.address(ticket), proxy=None) as connection:
        assert close_code(Talk(connection)) == 4401


@pytest.mark.parametrize("ticket", [None, "", "x", "A" * 43, "%00", "A" * 5000])
def test_without_a_good_ticket_the_socket_is_closed_with_4401(live: LiveProcess, ticket: str | None) -> None:
    with connect(live.address(ticket), proxy=None) as connection:
        assert close_code(Talk(connection)) == 4401


def test_the_address_that_comes_with_the_ticket_may_get_the_ticket_once_more(live: LiveProcess, bond: Bond) -> None:
    for joint in ("?", "&"):
        ticket = issue_ticket(bond=bond).secret
        with connect(f"{live.address(ticket)}{joint}ticket={ticket}", proxy=None) as connection:
            assert Talk(connection).hear()["op"] == "welcome"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8000.evil.example", ""])
def test_a_foreign_page_is_told_nothing_but_4403(live: LiveProcess, bond: Bond, origin: str) -> None:
    ticket = issue_ticket(bond=bond).secret
    headers = {"Origin": origin}
    with connect(live.address(ticket), proxy=None, additional_headers=headers) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=PATIENCE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403
    with connect(live.address(ticket), proxy=None) as connection:  # the ticket was not spent by the refusal
        assert Talk(connection).hear()["op"] == "welcome"


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://127.0.0.1:8000"])
def test_our_own_pages_may_connect(talk: Open, bond: Bond, origin: str) -> None:
    talk(bond, additional_headers={"Origin": origin})


def test_another_path_is_no_socket(live: LiveProcess) -> None:
    with pytest.raises(InvalidStatus), connect(f"ws://127.0.0.1:{live.port}/ws/other", proxy=None):
        pass


def test_too_many_sockets_of_one_person_are_refused(live: LiveProcess, talk: Open, bond: Bond) -> None:
    kept = [talk(bond) for _ in range(3)]
    with connect(live.address_for(bond), proxy=None) as connection:
        assert close_code(Talk(connection)) == 4429
    kept[0].connection.close()
    deadline = time.monotonic() + PATIENCE
    while live.hub.size == 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    talk(bond)


def test_other_people_are_not_counted_with_them(talk: Open, bond: Bond) -> None:
    for _ in range(3):
        talk(bond)
    talk(make_session_bond(make_user()))


# --- The protocol ---------------------------------------------------------------------------------------------------
def test_subscribe_gives_subscribed_then_a_snapshot(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.say(id=7, op="subscribe", channel="jobs")
    assert conversation.hear() == {"op": "subscribed", "id": 7, "channel": "jobs", "keys": []}
    assert conversation.hear() == {"op": "snapshot", "channel": "jobs", "seq": 1, "data": {"jobs": []}}


def test_alerts_are_served_and_empty(talk: Open, bond: Bond) -> None:
    assert talk(bond).subscribe("alerts")["data"] == {"alerts": []}


@pytest.mark.parametrize("channel", ["predictions", "signals"])
def test_channels_that_arrive_later_say_so(talk: Open, bond: Bond, channel: str) -> None:
    conversation = talk(bond)
    conversation.say(id=1, op="subscribe", channel=channel, keys=["binance:BTC/USDT"])
    answer = conversation.hear()
    assert (answer["op"], answer["id"], answer["code"]) == ("error", 1, "channel_unavailable")


def test_ping_comes_back_with_its_time(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.say(op="ping", t=1732000000123)
    assert conversation.hear() == {"op": "pong", "t": 1732000000123}


def test_resync_sends_a_fresh_snapshot_with_the_next_number(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.subscribe("jobs")
    conversation.say(op="resync", channel="jobs")
    assert conversation.hear()["seq"] == 2
    conversation.say(id=3, op="resync", channel="alerts")
    assert conversation.hear()["code"] == "not_subscribed"


def test_an_unknown_key_is_an_error_and_the_rest_is_subscribed(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.say(id=1, op="subscribe", channel="jobs", keys=["nonsense"])
    assert conversation.hear()["code"] == "unknown_key"
    assert conversation.hear()["op"] == "subscribed"
    assert conversation.hear()["op"] == "snapshot"


def test_unsubscribe_ends_the_channel(live: LiveProcess, talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.subscribe("jobs")
    conversation.say(id=2, op="unsubscribe", channel="jobs")
    assert conversation.hear() == {"op": "unsubscribed", "id": 2, "channel": "jobs", "keys": []}
    assert not live.hub._watchers


# --- Abuse ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        ("\x00\x01", "not_json"),
        ("[" * 10_000, "not_json"),
        ("[" * 10_000 + "]" * 10_000, "not_json"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "not_json"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        ("{}", "unknown_op"),
        ('{"op":"sudo"}', "unknown_op"),
        ('{"op":["subscribe"]}', "unknown_op"),
        ('{"op":"subscribe"}', "bad_channel"),
        ('{"op":"subscribe","channel":{"a":1}}', "bad_channel"),
        ('{"op":"subscribe","channel":"nothing"}', "unknown_channel"),
        ('{"op":"subscribe","channel":"jobs","keys":"all"}', "bad_keys"),
        ('{"op":"subscribe","channel":"jobs","keys":[1]}', "bad_keys"),
        ('{"op":"ping","id":{"a":1}}', "bad_id"),
        ('{"op":"ping","id":true}', "bad_id"),
        ('{"op":"ping","t":[[[[1]]]]}', "bad_time"),
        ('{"op":"ping","t":' + "[" * 900 + "]" * 900 + "}", "bad_time"),
        ('{"op":"ping","id":1e30}', "bad_id"),
        ('{"op":"ping","id":1e999}', "not_json"),
        ('{"op":"ping","t":"\\ud800"}', "not_json"),
    ],
)
def test_a_bad_frame_gets_an_error_and_the_socket_lives(talk: Open, bond: Bond, frame: str, code: str) -> None:
    conversation = talk(bond)
    conversation.connection.send(frame)
    answer = conversation.hear()
    assert (answer["op"], answer["code"]) == ("error", code)
    conversation.say(op="ping", t=1)
    assert conversation.hear()["op"] == "pong"


def test_binary_frames_are_refused(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.connection.send(b'{"op":"ping"}')
    assert close_code(conversation) == 1003


def test_a_frame_of_a_mebibyte_is_refused(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.connection.send("x" * 1024 * 1024)
    assert close_code(conversation) == 1009


def test_the_limit_counts_bytes(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.connection.send('"' + "x" * (65536 - 2) + '"')
    assert conversation.hear()["code"] == "not_an_object"
    conversation.connection.send('"' + "ä" * 32768 + '"')
    assert close_code(conversation) == 1009


def test_a_flood_is_closed_with_4429(live: LiveProcess, talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    with suppress(ConnectionClosed):
        for _ in range(5_000):
            conversation.connection.send('{"op":"ping"}')
    assert close_code(conversation) == 4429
    assert live.hub.size == 0
    talk(bond)


@pytest.mark.parametrize("channel", ["market_data", "jobs"])
def test_ten_thousand_keys_are_an_error_and_the_socket_stays(talk: Open, bond: Bond, channel: str) -> None:
    conversation = talk(bond)
    keys = [f"binance:COIN{number}/USDT" for number in range(10_000)]
    conversation.say(id=1, op="subscribe", channel=channel, keys=keys)
    assert conversation.hear()["code"] == "too_many_keys"
    conversation.say(op="ping", t=1)
    assert conversation.hear()["op"] == "pong"


def test_ten_thousand_subscriptions_are_a_flood(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    with suppress(ConnectionClosed):
        for number in range(10_000):
            conversation.say(id=number, op="subscribe", channel="jobs")
    assert close_code(conversation) == 4429


# --- The end --------------------------------------------------------------------------------------------------------
def test_sockets_end_with_1012_when_the_process_stops(live: LiveProcess, talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.subscribe("jobs")
    live.server.should_exit = True
    assert close_code(conversation) == 1012


def test_a_client_that_vanishes_leaves_nothing(live: LiveProcess, talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.subscribe("jobs")
    assert live.hub.size == 1
    conversation.connection.socket.close()
    deadline = time.monotonic() + PATIENCE
    while live.hub.size and time.monotonic() < deadline:
        time.sleep(0.01)
    assert live.hub.size == 0
    assert not live.hub._watchers
    assert not live.hub._per_user


def test_without_redis_a_ticket_cannot_be_checked(live: LiveProcess, bond: Bond) -> None:
    ticket = issue_ticket(bond=bond).secret
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"), connect(live.address(ticket), proxy=None) as connection:
        assert close_code(Talk(connection)) == 1013


def test_an_owner_is_known_as_one(live: LiveProcess, talk: Open) -> None:
    talk(make_session_bond(make_owner())).subscribe("jobs")
    assert ("jobs", "instance") in live.hub._watchers


def test_a_member_does_not_hear_of_the_instance(live: LiveProcess, talk: Open, bond: Bond) -> None:
    talk(bond).subscribe("jobs")
    assert set(live.hub._watchers) == {("jobs", f"person:{bond.user_id}")}


async def test_another_server_is_named_as_the_mistake_it_is() -> None:
    consumer = LiveConsumer(hub=Hub(now=clock.now), origins=frozenset())
    consumer.base_send = MethodType(lambda _held, _message: None, object())
    with pytest.raises(ImproperlyConfigured, match="websockets-sansio"):
        consumer._protocol()
