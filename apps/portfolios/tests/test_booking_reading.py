"""The quick reader of many objects at once: it reads as the careful one does, or leaves them to it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.portfolios.domain.booking import State, line_of
from apps.portfolios.domain.booking.quick import LineReader
from apps.portfolios.domain.booking.reading import plain_items, read_value
from apps.portfolios.domain.policy import Policy
from apps.portfolios.domain.transactions import EntryError, moment_text, parse_entry

values = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.just(1.5), st.text("a:,{}é", max_size=3), st.just(["x", {"a": 1}])
)


def object_text(pairs: list[tuple[str, object]]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)} : {json.dumps(value, ensure_ascii=False)}" for key, value in pairs) + "}"


def as_read(value: object) -> object:
    """Return the value as both readers mean it: a whole number is its digits."""
    if isinstance(value, dict):
        return {key: as_read(one) for key, one in value.items()}
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(
    rows=st.lists(
        st.lists(st.tuples(st.sampled_from(["ts", "a", "b"]), values), max_size=4, unique_by=lambda pair: pair[0]),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_read_quickly_is_read_alike(rows: list[list[tuple[str, object]]]) -> None:
    batch = "[" + ",".join(object_text(row) for row in rows) + "]"
    found = plain_items(batch)
    careful = read_value(batch)
    assert found is None or [as_read(item) for item in found] == careful
    texts_only = all(value is None or isinstance(value, str) for row in rows for _, value in row)
    assert found is not None or not texts_only


@pytest.mark.parametrize(
    "batch",
    [
        '[{"a":"x","a":"x"}]',
        '[{"a" :"x"},{"b":":","b":"c"}]',
        '[{"a":1}]',
        '[{"ts":1.0}]',
        '[{"ts":18446744073709551616}]',
        '[{"ts":true}]',
        '[{"ts":1},{"a":1}]',
        '[{"a":["x"]}]',
        '[{"a":{}}]',
        '[{"a":"\\u0041"}]',
        '[{"a":NaN}]',
        '[{"a":"x"},5]',
        '["x"]',
        '[{"a":"x"',
    ],
)
def test_what_only_the_careful_reader_can_judge_is_left_to_it(batch: str) -> None:
    assert plain_items(batch) is None


@pytest.mark.parametrize(
    ("ts", "said"),
    [
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        ("2024-02-29 23:00:00Z", "2024-02-29T23:00:00Z"),
        ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.500000Z"),
        ("2024-02-29T23:59:59", "2024-02-29T23:59:59Z"),
        (1_709_251_199_000, "2024-02-29T23:59:59Z"),
        ("2024-02-29T24:00:00Z", "ts_invalid"),
        ("2024-02-30T00:00:00Z", "ts_invalid"),
        ("2024-02-29Tx1:00:00Z", "ts_invalid"),
        ("2024-02-29T23:60:00Z", "ts_invalid"),
    ],
)
def test_times_are_read_by_hour_and_rest(ts: object, said: str) -> None:
    reader = LineReader()
    raw = {"id": "a", "ts": ts, "type": "buy", "asset": "X", "amount": "1", "price": "1"}
    for _again in range(2):
        try:
            found = moment_text(reader.line(raw, index=0).at_us)
        except EntryError as error:
            found = error.code
        assert found == said


@pytest.mark.parametrize("kind", ["buy", "sell", "spend", "trade"])
@pytest.mark.parametrize(
    "money",
    [{}, {"value": "2"}, {"price": "3", "value": "2"}, {"price": "0." + "1" * 30}, {"price": "0." + "5".zfill(30)}],
)
def test_values_are_those_of_the_long_way(kind: str, money: dict[str, str]) -> None:
    coins = {"asset": "X", "amount": "0.3", "out_asset": "X", "out_amount": "1", "in_asset": "Y", "in_amount": "1"}
    raw = {"id": "a", "ts": 0, "type": kind, **coins, **money}
    line = LineReader().line(raw, index=0)
    assert line == line_of(parse_entry(raw))
    state = State(Policy(), quote="USD")
    state.apply(line)
    priced = "value" in money or (kind != "trade" and bool(money))
    assert [problem.code for problem in state.sink.problems] == ([] if priced else ["value_missing"])


def test_a_trade_of_nothing_is_refused_as_the_long_way_does() -> None:
    coins = {"out_asset": "X", "out_amount": "0", "in_asset": "Y", "in_amount": "1"}
    with pytest.raises(EntryError, match="above zero"):
        LineReader().line({"id": "a", "ts": 0, "type": "trade", "value": "1", **coins}, index=0)
