"""One transaction: what is taken as it is, what is refused with which code, and the way back to text."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.portfolios.domain.transactions import (
    SHAPES,
    Entry,
    EntryError,
    EntryType,
    JsonNumber,
    entry_as_portable,
    microseconds,
    moment,
    moment_text,
    parse_entry,
    parse_moment,
)

NEW_YEAR = 1_704_067_200_000_000
BUY: dict[str, object] = {"id": "1", "ts": "2024-01-01T00:00:00Z", "type": "buy", "asset": "BTC", "amount": "1"}
MOVE: dict[str, object] = {
    "id": "m",
    "ts": NEW_YEAR // 1000,
    "type": "transfer",
    "asset": "BTC",
    "amount": "1",
    "from_account": "a",
    "to_account": "b",
}


def refusal(raw: object) -> tuple[str, str]:
    with pytest.raises(EntryError) as caught:
        parse_entry(raw, index=7)
    assert caught.value.index == 7
    assert caught.value.message == str(caught.value)
    return caught.value.code, caught.value.field


def test_every_digit_of_a_transaction_goes_in_and_comes_out() -> None:
    raw = {
        "id": "t",
        "ts": "2024-01-01T00:00:00.000001Z",
        "type": "trade",
        "account": "kraken",
        "out_asset": "BTC",
        "out_amount": "1.000000000000000001",
        "in_asset": "ETH",
        "in_amount": "0.000000000000000000000000000001",
        "value": "9" * 40 + "." + "9" * 30,
        "fee": "0.1",
        "fee_asset": "BNB",
        "fee_value": "5",
        "fee_on": "out",
        "quote": "EUR",
    }
    entry = parse_entry(raw)
    assert entry.out_amount == Decimal("1.000000000000000001")
    assert entry.at == datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert entry_as_portable(entry) == {**raw, "ts": "2024-01-01T00:00:00.000001Z"}


@pytest.mark.parametrize("kind", list(EntryType))
def test_each_type_comes_back_as_it_was_read(kind: EntryType) -> None:
    shape = SHAPES[kind]
    raw: dict[str, object] = {"id": "1", "ts": "2024-01-01T00:00:00Z", "type": kind.value}
    raw |= dict.fromkeys(shape.names, "X") | dict.fromkeys([*shape.positive, *shape.needed], "2.5")
    entry = parse_entry(raw)
    assert parse_entry(entry_as_portable(entry)) == entry
    for name in [*shape.names, *shape.positive, *shape.needed]:
        assert refusal({**raw, name: None}) == ("field_missing", name)


def test_what_is_left_out_has_its_default() -> None:
    entry = parse_entry({**BUY, "account": None, "fee": None, "kind": ""})
    assert entry == Entry(id="1", at_us=NEW_YEAR, type=EntryType.BUY, asset="BTC", amount=Decimal(1))
    assert parse_entry({**BUY, "id": 12}).id == "12"
    assert parse_entry({**BUY, "id": JsonNumber("12")}).id == "12"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": None}, ("field_missing", "id")),
        ({"id": ""}, ("field_missing", "id")),
        ({"id": True}, ("field_invalid", "id")),
        ({"id": ["1"]}, ("field_invalid", "id")),
        ({"type": None}, ("field_missing", "type")),
        ({"type": "gift"}, ("type_unknown", "type")),
        ({"type": ["buy"]}, ("type_unknown", "type")),
        ({"ts": None}, ("field_missing", "ts")),
        ({"ts": "yesterday"}, ("ts_invalid", "ts")),
        ({"ts": True}, ("ts_invalid", "ts")),
        ({"ts": 1.5}, ("ts_invalid", "ts")),
        ({"ts": JsonNumber("1.5")}, ("ts_invalid", "ts")),
        ({"ts": JsonNumber("1" * 30)}, ("ts_invalid", "ts")),
        ({"ts": 10**18}, ("ts_invalid", "ts")),
        ({"ts": "0001-01-01T00:00:00+14:00"}, ("ts_invalid", "ts")),
        ({"asset": " BTC"}, ("field_invalid", "asset")),
        ({"asset": 5}, ("field_invalid", "asset")),
        ({"asset": JsonNumber("5")}, ("field_invalid", "asset")),
        ({"amount": "0"}, ("amount_zero", "amount")),
        ({"amount": "-1"}, ("amount_negative", "amount")),
        ({"amount": "1,5"}, ("amount_syntax", "amount")),
        ({"amount": 1.5}, ("amount_type", "amount")),
        ({"amount": "NaN"}, ("amount_not_finite", "amount")),
        ({"amount": "1e40"}, ("amount_too_long", "amount")),
        ({"amount": "1e-31"}, ("amount_too_long", "amount")),
        ({"price": "-0.1"}, ("amount_negative", "price")),
        ({"fee": "-0.1"}, ("amount_negative", "fee")),
        ({"type": "income", "fee": "0.1"}, ("field_unexpected", "fee")),
    ],
)
def test_a_bad_line_is_refused_with_its_code_and_field(change: dict[str, object], said: tuple[str, str]) -> None:
    assert refusal({**BUY, **change}) == said


def test_what_is_no_object_is_refused() -> None:
    assert refusal(["buy"]) == ("not_an_object", "")


def test_a_trade_says_on_which_side_its_fee_is() -> None:
    trade = {**BUY, "type": "trade", "out_asset": "A", "out_amount": "1", "in_asset": "B", "in_amount": "1"}
    assert refusal({**trade, "fee_on": "up"}) == ("field_invalid", "fee_on")
    assert parse_entry({**trade, "fee_on": "in"}).fee_on == "in"
    assert parse_entry({**BUY, "fee_on": "up"}).fee_on is None


def test_no_more_arrives_than_was_sent() -> None:
    assert refusal({**MOVE, "received": "1.1"}) == ("received_too_large", "received")
    assert parse_entry({**MOVE, "received": "1"}).received == Decimal(1)
    assert "account" not in entry_as_portable(parse_entry(MOVE))


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-01T00:00:00Z",
        "2024-01-01T01:00:00+01:00",
        "2024-01-01T00:00:00",
        "2024-01-01",
        1_704_067_200_000,
        JsonNumber("1704067200000"),
    ],
)
def test_a_time_is_iso_text_or_whole_milliseconds(written: object) -> None:
    assert parse_moment(written) == NEW_YEAR
    assert microseconds(moment(NEW_YEAR)) == NEW_YEAR
    assert moment_text(NEW_YEAR) == "2024-01-01T00:00:00Z"


def test_times_before_1970_are_times() -> None:
    assert moment_text(parse_moment(JsonNumber("-1"))) == "1969-12-31T23:59:59.999000Z"
