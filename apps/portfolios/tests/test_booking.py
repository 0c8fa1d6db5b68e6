"""The engine's rules one by one, each in the smallest ledger that shows it. Worked examples are in test_examples."""

from datetime import date, timedelta
from decimal import Decimal, Inexact
from fractions import Fraction
from typing import Any

import pytest

from apps.portfolios.domain.booking import book, line_of, outcome, scaled, start
from apps.portfolios.domain.policy import parse_policy
from apps.portfolios.domain.result import RowWriter, as_portable
from apps.portfolios.domain.timeline import Timeline
from apps.portfolios.domain.transactions import parse_entry

Row = dict[str, Any]


def day(number: int) -> str:
    return f"{date(2024, 1, 1) + timedelta(days=number)}T12:00:00Z"


def buy(identity: str, at: int, amount: str, value: str, **more: object) -> Row:
    return {"id": identity, "ts": day(at), "type": "buy", "asset": "X", "amount": amount, "value": value, **more}


def sell(identity: str, at: int, amount: str, value: str, **more: object) -> Row:
    return buy(identity, at, amount, value, **more) | {"type": "sell"}


def transfer(identity: str, at: int, amount: str, **more: object) -> Row:
    row: Row = {"id": identity, "ts": day(at), "type": "transfer", "asset": "X", "amount": amount}
    return row | {"from_account": "default", "to_account": "wallet"} | more


def result(rows: list[Row], **policy: object) -> Row:
    booking = book([parse_entry(row) for row in rows], parse_policy(policy))
    return as_portable(booking)


def codes(found: Row) -> list[tuple[object, object]]:
    return [(row["tx"], row["code"]) for row in found["errors"]]


def test_the_last_piece_of_a_lot_takes_what_rounding_left() -> None:
    found = result([buy("b", 0, "3", "100"), *(sell(f"s{number}", number, "1", "0") for number in (1, 2, 3))])
    costs = [row["cost_basis"] for row in found["disposals"]]
    assert costs[0] == "33.333333333333333333333333333333"
    assert sum(Fraction(cost) for cost in costs) == 100
    assert found["remaining_lots"] == []


def test_no_amount_is_too_small_or_too_large() -> None:
    tiny, huge = "0.000000000000000000000000000001", "9" * 40 + "." + "9" * 30
    found = result([buy("b", 0, huge, tiny), sell("s", 1, tiny, huge)])
    assert found["disposals"][0]["gain"] == huge
    assert found["remaining_lots"][0]["cost_basis"] == tiny
    with pytest.raises(Inexact):
        scaled(Decimal("1e-31"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"value": None}, "value_missing"),
        ({"fee": "1", "fee_asset": "BNB"}, "fee_value_missing"),
        ({"quote": "EUR"}, "quote_mismatch"),
    ],
)
def test_a_line_that_cannot_be_booked_hides_nothing_else(change: Row, code: str) -> None:
    found = result([buy("a", 0, "1", "5", quote="USD"), buy("b", 1, "1", "5") | change, sell("s", 2, "1", "7")])
    assert codes(found) == [("b", code)]
    assert found["holdings"] == {"default": {"X": "0"}}
    assert [row["gain"] for row in found["disposals"]] == ["2"]


def test_an_id_counts_once() -> None:
    found = result([buy("b", 0, "1", "5"), buy("b", 1, "9", "5")])
    assert found["errors"][0] | {"message": ""} == {
        "tx": "b",
        "code": "duplicate_id",
        "message": "",
        "field": "id",
        "index": 1,
    }
    assert found["holdings"] == {"default": {"X": "1"}}


def test_an_opening_balance_needs_a_pool() -> None:
    opening = buy("o", 0, "2", "6") | {"type": "pool_opening"}
    assert codes(result([opening], method="lifo")) == [("o", "not_a_pool")]
    for method in ("acb", "uk_s104"):
        found = result([opening, sell("s", 1, "1", "5")], method=method)
        assert found["disposals"][0]["cost_basis"] == "3"
        assert found["pools"] == {"X": {"amount": "1", "cost": "3"}}


def test_a_move_inside_a_bucket_keeps_lots_and_counts_its_fee() -> None:
    move = {"id": "m", "ts": day(1), "type": "trade", "out_asset": "X", "in_asset": "WX", "value": "9"}
    rows = [buy("b", 0, "2", "6"), move | {"out_amount": "1", "in_amount": "1", "fee": "0.5"}]
    found = result(rows, alias={"WX": "X"})
    assert found["disposals"] == []
    assert found["holdings"] == {"default": {"X": "1", "WX": "1"}}
    assert found["fees_total"] == "0.5"
    uneven = result([rows[0], move | {"out_amount": "1", "in_amount": "0.9"}], alias={"WX": "X"})
    assert codes(uneven) == [("m", "alias_amounts_differ")]


def test_a_fee_by_itself_in_money_is_no_disposal() -> None:
    fee = {"id": "f", "ts": day(1), "type": "fee", "asset": "USD", "amount": "3"}
    found = result([fee])
    assert (found["fees_total"], found["disposals"], found["holdings"]) == ("3", [], {})


def test_what_did_not_arrive_needs_a_value_only_where_it_is_disposed_of() -> None:
    rows = [buy("b", 0, "2", "6"), transfer("t", 1, "1", received="0.5")]
    assert codes(result(rows)) == [("t", "fee_value_missing")]
    found = result(rows, transfer_fee="consume")
    assert (found["errors"], found["fees_total"]) == ([], "0")
    assert found["remaining_lots"][0]["amount"] == "1.5"


def test_a_transfer_takes_a_fee_in_another_coin_or_in_money() -> None:
    coin = transfer("t", 1, "1", fee="0.1", fee_asset="GAS", fee_value="2")
    found = result([buy("b", 0, "2", "6"), buy("g", 0, "1", "10", asset="GAS"), coin])
    assert [(row["tx"], row["gain"]) for row in found["disposals"]] == [("t:fee", "1")]
    assert found["fees_total"] == "2"
    both = result([coin | {"received": "0.9"}])
    assert codes(both) == [("t", "fee_twice")]
    money = result([buy("b", 0, "2", "6"), transfer("t", 1, "1", received="0.9", fee="4", fee_value="1")])
    assert money["fees_total"] == "5"


def test_a_lot_that_travels_keeps_its_place_by_age() -> None:
    rows = [
        buy("old", 0, "1", "10"),
        buy("new", 1, "1", "20", account="wallet"),
        transfer("t", 2, "1"),
        sell("s", 3, "1", "0", account="wallet"),
    ]
    taken = {method: result(rows, scope="per_account", method=method) for method in ("fifo", "lifo", "hifo")}
    assert {method: found["disposals"][0]["cost_basis"] for method, found in taken.items()} == {
        "fifo": "10",
        "lifo": "20",
        "hifo": "20",
    }
    assert taken["fifo"]["average_cost"] == {"wallet:X": "20"}


def test_many_used_lots_are_let_go() -> None:
    rows = [buy(f"b{number}", 0, "1", str(number)) for number in range(1_100)]
    found = result([*rows, sell("s", 1, "1099", "0"), sell("last", 2, "1", "0")])
    assert found["disposals"][1]["lots"] == [
        {"lot": "b1099", "amount": "1", "cost_basis": "1099", "acquired_at": day(0), "term": "short"}
    ]


@pytest.mark.parametrize("scope", ["universal", "per_account"])
@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo", "acb"])
def test_a_transfer_short_of_lots_delivers_the_rest_at_no_cost(method: str, scope: str) -> None:
    rows = [buy("b", 0, "1", "10"), transfer("t", 1, "3"), sell("s", 2, "3", "9", account="wallet")]
    found = result(rows, method=method, scope=scope)
    assert found["missing"] == [{"tx": "t", "asset": "X", "account": "default", "found": "1", "missing": "2"}]
    assert found["disposals"][0]["cost_basis"] == "10"
    assert found["holdings"] == {"default": {"X": "-2"}, "wallet": {"X": "0"}}


@pytest.mark.parametrize("method", ["fifo", "acb", "uk_s104"])
def test_a_shortfall_is_said_once_a_transaction(method: str) -> None:
    sale = sell("s", 0, "1", "5", fee="1", fee_asset="BNB", fee_value="1")
    found = result([sale, buy("b", 40, "9", "9")], method=method, missing="error")
    assert codes(found) == [("s", "missing_acquisition")]
    assert [row["tx"] for row in found["missing"]] == ["s", "s:fee"]
    assert found["remaining_lots"][0]["amount"] == "9"


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo", "acb", "uk_s104"])
def test_coins_consumed_leave_without_a_gain(method: str) -> None:
    rows = [
        buy("b", 0, "4", "40"),
        {"id": "f", "ts": day(1), "type": "fee", "asset": "X", "amount": "1", "value": "2"},
        sell("s", 40, "5", "50"),
    ]
    found = result(rows, method=method, crypto_fee="consume")
    assert [(row["tx"], row["cost_basis"]) for row in found["disposals"]] == [("s", "30")]
    assert found["missing"] == [{"tx": "s", "asset": "X", "account": "default", "found": "3", "missing": "2"}]
    short = result([rows[1]], method=method, crypto_fee="consume")
    assert short["missing"] == [{"tx": "f", "asset": "X", "account": "default", "found": "0", "missing": "1"}]


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo", "acb", "uk_s104"])
def test_capital_returned_beyond_cost_is_a_gain(method: str) -> None:
    back: Row = {"ts": day(1), "type": "return_of_capital", "asset": "X"}
    rows = [buy("b", 0, "2", "10"), back | {"id": "r1", "value": "4"}, back | {"id": "r2", "value": "9"}]
    found = result([*rows, sell("s", 40, "2", "1")], method=method)
    gains = [(row["tx"], row["kind"], row["amount"], row["gain"]) for row in found["disposals"]]
    assert gains == [("r2", "return_of_capital", "0", "3"), ("s", "sell", "2", "1")]
    assert found["realised_total"] == "4"
    nothing = result([back | {"id": "r", "value": "4"}], method=method)
    assert [row["gain"] for row in nothing["disposals"]] == ["4"]


def test_capital_returned_is_spread_by_amount_and_its_gain_by_age() -> None:
    back = {"id": "r", "ts": "2025-06-01T00:00:00Z", "type": "return_of_capital", "asset": "X", "value": "30"}
    found = result([buy("a", 0, "1", "2"), buy("b", 10, "2", "100"), back])
    row = found["disposals"][0]
    assert (row["gain"], row["term"]) == ("8", "long")
    assert (found["realised_long"], found["realised_short"]) == ("8", "0")
    assert [lot["cost_basis"] for lot in found["remaining_lots"]] == ["0", "80"]


def test_the_dearest_stays_the_dearest_over_a_split() -> None:
    rows = [
        buy("a", 0, "1", "10"),
        {"id": "p", "ts": day(1), "type": "split", "asset": "X", "ratio": "10"},
        buy("b", 2, "1", "2"),
        buy("tie", 3, "10", "10"),
        sell("s", 4, "2", "0"),
    ]
    lots = result(rows, method="hifo")["disposals"][0]["lots"]
    assert [lot["lot"] for lot in lots] == ["b", "a"]


def test_the_dearest_can_be_judged_without_the_fee() -> None:
    rows = [buy("a", 0, "1", "10"), buy("b", 1, "1", "9", fee="5"), sell("s", 2, "1", "0")]
    assert result(rows, method="hifo")["disposals"][0]["cost_basis"] == "14"
    back = {"id": "r", "ts": day(1), "type": "return_of_capital", "asset": "X", "value": "2"}
    found = result([*rows[:2], back, rows[2]], method="hifo", hifo_excl_fee=True)
    assert found["disposals"][0]["cost_basis"] == "9"


def test_a_split_does_not_grow_what_was_never_there() -> None:
    split: Row = {"id": "p", "ts": day(50), "type": "split", "asset": "X", "ratio": "2"}
    rows = [buy("y", 0, "1", "1", asset="Y"), sell("s", 0, "1", "5"), buy("b", 40, "3", "3"), split]
    for method in ("fifo", "acb", "uk_s104"):
        found = result(rows, method=method)
        assert {lot["asset"]: lot["amount"] for lot in found["remaining_lots"]} == {"X": "6", "Y": "1"}
        assert found["holdings"] == {"default": {"X": "5", "Y": "1"}}


def test_a_loss_is_denied_as_far_as_the_window_replaces_it() -> None:
    rows = [buy("a", 0, "100", "5000"), sell("s", 9, "100", "4000"), buy("b", 39, "50", "2100")]
    policy: Row = {"method": "acb", "superficial_window_days": 30}
    found = result(rows, **policy)
    row = found["disposals"][0]
    assert (row["gain"], row["superficial_loss"]) == ("-500", "-500")
    assert found["remaining_cost"] == {"X": "2600"}
    booking = book([parse_entry(line) for line in rows], parse_policy(policy))
    assert '"superficial_loss":"-500"' in RowWriter(timeline=Timeline()).disposal(booking.disposals[0])
    late = result([*rows[:2], rows[2] | {"ts": day(40)}], **policy)
    assert late["disposals"][0]["gain"] == "-1000"


def test_the_window_counts_in_the_units_of_the_sale() -> None:
    split = {"id": "p", "ts": day(10), "type": "split", "asset": "X", "ratio": "2"}
    rows = [buy("a", 0, "4", "400"), sell("s", 5, "4", "200"), split, buy("b", 11, "4", "100")]
    found = result(rows, method="acb", superficial_window_days=30)
    assert found["disposals"][0]["superficial_loss"] == "-100"


def test_london_days_are_one_line_with_all_its_transactions() -> None:
    first = {"ts": "2024-07-01T23:30:00Z"}  # the second of July in London
    rows = [
        buy("b", 0, "4", "4"),
        sell("s1", 1, "1", "5") | first,
        sell("s2", 1, "1", "5", account="w") | {"ts": "2024-07-02T10:00:00Z"},
    ]
    row = result(rows, method="uk_s104")["disposals"][0]
    assert (row["tx"], row["date"], row["account"], row["txs"]) == ("s1", "2024-07-02", None, ["s1", "s2"])
    assert row["matches"] == [{"rule": "s104", "date": None, "amount": "2", "cost_basis": "2"}]


def test_capital_returned_after_a_sale_leaves_the_sale_alone() -> None:
    back = {"id": "r", "ts": day(5), "type": "return_of_capital", "asset": "X", "value": "10"}
    rows = [buy("b", 0, "2", "40"), sell("s", 5, "1", "20"), back]
    found = result(rows, method="uk_s104")
    assert found["disposals"][0]["cost_basis"] == "20"
    assert found["pools"] == {"X": {"amount": "1", "cost": "10"}}
    assert result([rows[0], back, rows[1]], method="uk_s104")["disposals"][0]["cost_basis"] == "15"


def test_matches_over_a_split_are_in_the_units_of_the_sale() -> None:
    split = {"id": "p", "ts": day(10), "type": "split", "asset": "X", "ratio": "2"}
    rows = [buy("a", 0, "2", "20"), sell("s", 5, "2", "30"), split, buy("b", 11, "2", "18"), buy("c", 12, "9", "9")]
    row = result(rows, method="uk_s104")["disposals"][0]
    assert [(match["amount"], match["cost_basis"]) for match in row["matches"]] == [
        ("1", "18"),
        ("1", "2"),
    ]


def test_a_state_can_be_asked_and_goes_on() -> None:
    rows = [buy("b", 0, "2", "10"), sell("s1", 1, "1", "6"), sell("s2", 2, "1", "7")]
    lines = [line_of(parse_entry(row)) for row in rows]
    for method in ("fifo", "acb", "uk_s104"):
        state = start(parse_policy({"method": method}), quote="USD", ahead=lines)
        gains = []
        for line in lines:
            state.apply(line)
            gains.append(outcome(state).totals.realised // scaled(Decimal(1)))
        assert gains == [0, 1, 3]
