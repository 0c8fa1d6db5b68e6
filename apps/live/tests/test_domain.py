"""The protocol in plain Python: nothing a client sends makes it raise, and limits are exact."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.live.domain import protocol
from apps.live.domain.allowance import Allowance
from apps.live.domain.origins import allowed_origins, is_ours
from apps.live.domain.protocol import KEYS_PER_SUBSCRIPTION, Refusal, Request, parse

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
frames = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(protocol.OPERATIONS) | values,
        "id": values,
        "channel": st.sampled_from(["jobs", "alerts", ""]) | values,
        "keys": st.lists(st.text(max_size=5), max_size=60) | values,
        "t": values,
    },
)


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert isinstance(parse(text), Request | Refusal)


@given(frames)
def test_any_frame_is_answered_and_the_answer_can_be_written(frame: dict[str, Any]) -> None:
    asked = parse(json.dumps(frame, allow_nan=True))
    if isinstance(asked, Refusal):
        assert orjson.loads(protocol.error(asked))["op"] == "error"
    else:
        assert len(asked.keys) <= KEYS_PER_SUBSCRIPTION
        assert protocol.pong(reference=asked.id, echo=asked.echo)
        assert protocol.subscribed(reference=asked.id, channel=asked.channel, keys=asked.keys)


def test_keys_are_taken_once_and_in_order() -> None:
    asked = parse('{"op":"subscribe","channel":"c","keys":["b","a","b"]}')
    assert isinstance(asked, Request)
    assert asked.keys == ("b", "a")


@pytest.mark.parametrize(("number", "code"), [(50, None), (51, "too_many_keys")])
def test_fifty_keys_a_subscription(number: int, code: str | None) -> None:
    keys = [str(key) for key in range(number)]
    asked = parse(orjson.dumps({"op": "subscribe", "channel": "c", "keys": keys}).decode())
    assert (asked.code if isinstance(asked, Refusal) else None) == code


def test_a_frame_is_a_head_and_a_join_of_fragments() -> None:
    fragments = [b'{"a":1}', b'{"a":2}']
    frame = protocol.data_frame(
        protocol.frame_ends(op="update", channel="jobs", list_name="jobs"), seq=3, fragments=fragments
    )
    assert orjson.loads(frame) == {"op": "update", "channel": "jobs", "seq": 3, "data": {"jobs": [{"a": 1}, {"a": 2}]}}


def test_times_are_utc_with_z() -> None:
    moment = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert protocol.instant(moment) == "2026-11-21T10:00:00.123Z"
    assert protocol.instant(moment.astimezone(UTC)) == "2026-11-21T10:00:00.123Z"


@pytest.mark.parametrize(
    ("public_url", "origin", "ours"),
    [
        ("http://localhost:8000", "http://localhost:8000", True),
        ("http://localhost:8000", "http://127.0.0.1:8000", True),
        ("http://localhost:8000", "http://[::1]:8000", True),
        ("http://localhost:8000", "http://localhost:8001", False),
        ("http://localhost:8000", "https://localhost:8000", False),
        ("http://localhost:8000", "null", False),
        ("https://coins.example", "https://coins.example", True),
        ("https://coins.example", "https://COINS.example", True),
        ("https://coins.example:443", "https://coins.example", True),
        ("https://coins.example:8443", "https://coins.example:8443", True),
        ("https://coins.example/", "http://coins.example", False),
        ("https://coins.example", "https://coins.example.evil.example", False),
        ("https://coins.example", "http://localhost:8000", False),
        ("https://coins.example", None, True),
    ],
)
def test_only_our_own_pages_count_as_ours(public_url: str, origin: str | None, ours: bool) -> None:
    assert is_ours(origin, allowed=allowed_origins(public_url)) is ours


def test_an_allowance_refills_with_time() -> None:
    allowance = Allowance(rate=2, burst=3)
    assert [allowance.spend(1, at=10.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.spend(1, at=10.5) for _ in range(2)] == [True, False]
    assert [allowance.spend(1, at=99.0) for _ in range(4)] == [True, True, True, False]
