"""The pure parts around the engine: drafts, movements, what is held, years, completeness, beancount."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from apps.portfolios.domain.beancount import beancount_lines
from apps.portfolios.domain.booking import book
from apps.portfolios.domain.completeness import Completeness, Issue, IssueCode, completeness
from apps.portfolios.domain.drafts import (
    OUTSIDE,
    EntryDraft,
    as_entry,
    checked_draft,
    draft_of,
    entry_of,
)
from apps.portfolios.domain.faults import booking_issues
from apps.portfolios.domain.held import CLOSING, held, legs_among, parts
from apps.portfolios.domain.movements import Movement, effect, movements
from apps.portfolios.domain.policy import Policy, Scope, parse_policy
from apps.portfolios.domain.transactions import Entry, EntryError, EntryType, JsonNumber, parse_entry

BUY = {"ts": "2024-01-01", "type": "buy", "asset": "BTC", "amount": "1", "value": "100"}
MOVE = {"ts": "2024-02-01", "type": "transfer", "asset": "BTC", "amount": "1"}


def entries(*rows: dict[str, Any]) -> list[Entry]:
    """Return checked entries with ids of their own."""
    return [parse_entry({"id": str(place), **row}, index=place) for place, row in enumerate(rows, start=1)]


# --- Drafts -----------------------------------------------------------------------------------------------------------
def test_a_draft_is_told_whole() -> None:
    raw = {**MOVE, "id": "x", "received": "0.999999999999999999999999999999", "from_account": "A", "to_account": "B"}
    draft = draft_of({**raw, "sequence": 7, "note": " n ", "tx_hash": "0x1"}, source="test")
    assert (draft.external_id, draft.sequence, draft.note, draft.record_of) == ("x", 7, "n", "A")
    for one in (draft, draft_of(BUY, source="test")):
        assert as_entry(one) == entry_of(one)
    assert draft_of({**raw, "external_id": "theirs"}, source="test").external_id == "theirs"
    assert draft_of({**BUY, "id": ""}, source="test").external_id is None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (7, "not_an_object"),
        ({**BUY, "note": "x" * 501}, "text_too_long"),
        ({**BUY, "asset": "x" * 65}, "text_too_long"),
        ({**BUY, "sequence": True}, "field_invalid"),
        ({**BUY, "sequence": JsonNumber("1.5")}, "field_invalid"),
        ({**BUY, "sequence": JsonNumber("9" * 20)}, "field_invalid"),
        ({**BUY, "sequence": 2**70}, "field_invalid"),
        ({**BUY, "note": 5}, "field_invalid"),
        ({**BUY, "account": OUTSIDE}, "account_reserved"),
        ({**MOVE, "from_account": "A", "to_account": "A"}, "same_account"),
    ],
)
def test_what_cannot_be_kept_is_no_draft(raw: Any, code: str) -> None:
    with pytest.raises(EntryError) as caught:
        draft_of(raw, source="test")
    assert caught.value.code == code


def test_a_draft_made_by_hand_is_checked_too() -> None:
    draft = draft_of(BUY, source="test")
    assert checked_draft(replace(draft, external_id="")).external_id is None
    with pytest.raises(EntryError, match="between the years"):
        checked_draft(replace(draft, at_us=10**18))
    leg = EntryDraft(at_us=0, type=EntryType.TRANSFER, source="t", asset="BTC", amount=Decimal(1), account="A")
    assert replace(leg, from_account=OUTSIDE).record_of == "A"
    assert replace(leg, to_account=OUTSIDE).sides == ("A", OUTSIDE)


# --- Movements --------------------------------------------------------------------------------------------------------
def test_every_type_moves_what_it_says() -> None:
    trade = {"ts": "2024-01-01", "type": "trade", "out_asset": "BTC", "out_amount": "1", "in_asset": "ETH"}
    rows = entries(
        {**BUY, "fee": "0.1", "fee_asset": "BNB", "fee_value": "1"},
        {**BUY, "type": "spend", "fee": None},
        {**trade, "in_amount": "20", "value": "9", "fee": "1", "fee_asset": "USD"},
        {**MOVE, "received": "0.9", "from_account": "A", "to_account": OUTSIDE, "fee": "2", "fee_asset": "BNB"},
        {"ts": "2024-01-01", "type": "split", "asset": "ETH", "ratio": "2"},
    )
    moved = [list(movements(one, money="USD")) for one in rows]
    assert moved[0][1] == Movement("default", "BNB", Decimal("-0.1"), is_fee=True)
    assert moved[3][-1] == Movement("A", "BNB", Decimal(-2), is_fee=True)
    assert moved[4] == []
    assert effect(rows, money="USD") == {"BNB": Decimal("-2.1"), "BTC": Decimal(-2), "ETH": Decimal(20)}


# --- Held -------------------------------------------------------------------------------------------------------------
def test_coins_that_are_outside_take_their_cost_along() -> None:
    told = entries(BUY, {**MOVE, "amount": "0.25", "from_account": "default", "to_account": OUTSIDE})
    (one,) = held(book(told, Policy()))
    assert (one.asset, one.amount, one.cost) == ("BTC", 75 * 10**28, 75 * 10**30)
    assert legs_among(told) == {"2"}


def test_what_is_below_zero_or_missing_is_an_issue() -> None:
    sale = {**BUY, "type": "sell", "ts": "2024-05-01", "amount": "3"}
    issues = {one.code: one.count for one in booking_issues(book(entries(BUY, sale), Policy()))}
    assert issues == {
        IssueCode.MISSING_ACQUISITION: 1,
        IssueCode.UNBOOKED_ENTRY: 0,
        IssueCode.NEGATIVE_BALANCE: 0,
    }
    emptied = entries(BUY, {**BUY, "type": "sell", "ts": "2024-05-01"})
    assert held(book(emptied, Policy())) == []


def test_years_have_their_own_totals() -> None:
    rows = entries(
        {**BUY, "ts": "2022-01-01"},
        {**BUY, "ts": "2023-06-01", "value": "200"},
        {**BUY, "type": "income", "ts": "2023-07-01", "asset": "ETH", "value": "5", "kind": "staking"},
        {**BUY, "type": "sell", "ts": "2023-08-01", "amount": "1.5", "value": "450", "fee": "1"},
        {**BUY, "type": "sell", "ts": "2024-12-01", "amount": "0.5", "value": "150"},
    )
    booking = book(rows, Policy())
    found = parts(booking)
    assert set(found) == {CLOSING, "2023", "2024"}
    year = found["2023"]
    assert (year["realised_long"], year["realised_short"], year["income_total"]) == (
        "199.333333333333333333333333333333",
        "49.666666666666666666666666666667",
        "5",
    )
    whole = found[CLOSING]
    for name in ("realised_total", "realised_short", "realised_long", "income_total", "fees_total"):
        assert sum(Fraction(str(found[one][name])) for one in ("2023", "2024")) == Fraction(str(whole[name]))


def test_pools_have_no_term_and_separate_fees_their_year() -> None:
    rows = entries(
        {**BUY, "fee": "3"},
        {**BUY, "type": "sell", "ts": "2025-01-01", "value": "150", "fee": "1"},
    )
    found = parts(book(rows, parse_policy({"method": "acb", "fees": "separate"})))
    assert (found["2024"]["fees_total"], found["2025"]["realised_long"]) == ("3", "0")
    assert found["2025"]["realised_total"] == "50"


def test_capital_that_comes_back_beyond_its_cost_is_split_by_age() -> None:
    rows = entries(
        {**BUY, "ts": "2022-01-01", "value": "1"},
        {**BUY, "ts": "2024-01-01", "value": "1"},
        {"ts": "2024-02-01", "type": "return_of_capital", "asset": "BTC", "value": "12"},
    )
    year = parts(book(rows, Policy(scope=Scope.PER_ACCOUNT)))["2024"]
    assert (year["realised_total"], year["realised_long"], year["realised_short"]) == ("10", "5", "5")


# --- Completeness -----------------------------------------------------------------------------------------------------
def test_only_what_lacks_nothing_scores_one() -> None:
    remark, fault = Issue(IssueCode.SIMULATED_PRICE, 3), Issue(IssueCode.MISSING_ACQUISITION, 1)
    assert completeness([], facts=0) == Completeness(Decimal(1), ())
    assert completeness([remark, Issue(IssueCode.SYNC_GAP, 0)], facts=9).score == 1
    assert completeness([fault], facts=100_000).score == Decimal("0.9999")
    assert completeness([Issue(IssueCode.STALE_PRICE, 5)], facts=2).score == 0


# --- Beancount --------------------------------------------------------------------------------------------------------
def test_beancount_splits_only_what_is_held() -> None:
    rows = entries(
        BUY,
        {**BUY, "asset": "ETH"},
        {**BUY, "type": "sell", "asset": "ETH"},
        {"ts": "2024-02-01", "type": "split", "asset": "BTC", "ratio": "3"},
        {"ts": "2024-03-01", "type": "split", "asset": "ETH", "ratio": "3"},
        {**MOVE, "ts": "2024-04-01", "from_account": "default", "to_account": "B"},
        {"ts": "2024-05-01", "type": "return_of_capital", "asset": "BTC", "value": "2.5"},
        {**BUY, "type": "pool_opening", "ts": "2024-06-01"},
    )
    text = "\n".join(beancount_lines(rows, money="USD", title="T"))
    assert text.count("Equity:Splits  -2 BTC") == 1
    assert "Equity:Splits  0 ETH" not in text
    assert "  Income:Capital  -2.50 USD" in text
    assert "  Equity:Opening  -100.00 USD" in text
