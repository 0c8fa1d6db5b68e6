"""Rules that change: what holds of every ledger and every timeline, and what a timeline refuses."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.portfolios.domain.booking import book, line_of, outcome, walked
from apps.portfolios.domain.held import CLOSING, parts
from apps.portfolios.domain.policy import Method, Policy, PolicyError
from apps.portfolios.domain.result import as_portable, disposal_row
from apps.portfolios.domain.timeline import (
    MOST_CHANGES,
    PolicyChange,
    Timeline,
    always,
    changes_as_portable,
    parse_timeline,
)
from apps.portfolios.domain.transactions import Entry, EntryError, EntryType, JsonNumber, parse_entry
from apps.portfolios.tests import reference
from apps.portfolios.tests.ledgers import (
    Row,
    comparable,
    engine_booking,
    engine_result,
    engine_result_of_text,
    ledgers,
    policies,
    policy_changes,
    timeline_of,
)

TOTALS = ("realised_total", "realised_short", "realised_long", "income_total", "fees_total")
LIFO = Policy(method=Method.LIFO)
ACB = Policy(method=Method.ACB)
NEW_YEAR_US = 1_735_689_600_000_000
calm = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def file_of(rows: list[Row], policy: Row, changes: list[Row]) -> Row:
    return {"transactions": rows, "policy": policy, "policy_changes": changes}


def entries_of(rows: list[Row]) -> list[Entry]:
    found = []
    for index, row in enumerate(rows):
        try:
            found.append(parse_entry(row, index=index))
        except EntryError:
            continue
    return found


@settings(calm, max_examples=60)
@given(rows=ledgers(), policy=policies, changes=policy_changes)
def test_the_engine_changes_its_rules_as_the_reference_does(rows: list[Row], policy: Row, changes: list[Row]) -> None:
    file = file_of(rows, policy, changes)
    result = engine_result(file)
    assert comparable(result) == comparable(reference.book(file))
    assert engine_result_of_text(file) == result
    years = parts(engine_booking(file)[0])
    whole = years.pop(CLOSING)
    for name in TOTALS:
        assert sum(Fraction(str(year[name])) for year in years.values()) == Fraction(str(whole[name]))


@calm
@given(rows=ledgers(), policy=policies, changes=policy_changes)
def test_what_was_disposed_of_before_a_change_keeps_its_result(
    rows: list[Row], policy: Row, changes: list[Row]
) -> None:
    """Booking ends in the same way at a change as where the ledger ends there, and every later period adds to it."""
    timeline, entries = timeline_of(file_of(rows, policy, changes)), entries_of(rows)
    whole = book(entries, timeline).disposals
    for place, change in enumerate(timeline.changes):
        known = Timeline(timeline.first, timeline.changes[:place])
        before = book([entry for entry in entries if entry.at_us < change.at_us], known)
        rows_before = [disposal_row(one, long_us=0) for one in before.disposals]
        assert [disposal_row(one, long_us=0) for one in whole[: len(rows_before)]] == rows_before


@calm
@given(rows=ledgers(), policy=policies, changes=policy_changes)
def test_a_change_moves_no_coin_and_no_cost(rows: list[Row], policy: Row, changes: list[Row]) -> None:
    """With every entry before the first change, all that follows only hands over what is left."""
    entries = entries_of(rows)
    last = max((entry.at_us for entry in entries), default=0) // 1000
    later = [{**change, "from": last + 1 + number} for number, change in enumerate(changes)]
    alone, timeline = timeline_of(file_of([], policy, [])), timeline_of(file_of([], policy, later))
    before, after = book(entries, alone), book(entries, timeline)
    assert after.holdings == before.holdings
    assert sum(lot.cost for lot in after.open_lots) == sum(lot.cost for lot in before.open_lots)
    assert sum(lot.amount for lot in after.open_lots) == sum(lot.amount for lot in before.open_lots)
    assert (after.totals, after.shortfalls) == (before.totals, before.shortfalls)
    assert [one.gain for one in after.disposals] == [one.gain for one in before.disposals]


@calm
@given(rows=ledgers(), policy=policies, changes=policy_changes)
def test_cost_and_coins_are_kept_over_every_change(rows: list[Row], policy: Row, changes: list[Row]) -> None:
    """Without fees and losses on the way nothing but disposals takes cost out."""
    kinds = {EntryType.BUY, EntryType.SELL, EntryType.INCOME, EntryType.SPEND, EntryType.TRANSFER}
    whole = [row | {"fee": None, "received": None} for row in rows]
    entries = [entry for entry in entries_of(whole) if entry.type in kinds]
    bare = {"superficial_window_days": None}
    file = file_of([], policy | bare, [row | {"policy": dict(row["policy"]) | bare} for row in changes])  # type: ignore[call-overload]
    timeline = timeline_of(file)
    booking = book(entries, timeline)
    came = {entry.id for entry in entries if entry.type in {EntryType.BUY, EntryType.INCOME}}
    alone = book([entry for entry in entries if entry.id in came], Policy())
    spent, left = sum(one.cost for one in booking.disposals), sum(lot.cost for lot in booking.open_lots)
    assert spent + left == sum(lot.cost for lot in alone.open_lots)
    expected: Counter[str] = Counter()
    for (_, asset), amount in booking.holdings.items():
        expected[timeline.last.bucket(asset)] += amount
    for short in booking.shortfalls:
        expected[timeline.last.bucket(short.asset)] += short.missing
    lots: Counter[str] = Counter()
    for lot in booking.open_lots:
        lots[lot.asset] += lot.amount
    assert +lots == +expected


@calm
@given(rows=ledgers(), policy=policies, at=st.integers(-10, 900))
def test_a_change_to_the_same_lots_changes_nothing(rows: list[Row], policy: Row, at: int) -> None:
    rules = {**policy, "method": "fifo"}
    again = [{"from": 1_577_836_800_000 + at * 86_400_000, "policy": rules}]
    once, twice = (engine_result(file_of(rows, rules, changes)) for changes in ([], again))
    assert comparable(twice) == comparable(once)


@settings(calm, max_examples=20)
@given(rows=ledgers(), policy=policies, changes=policy_changes)
def test_walking_line_by_line_leads_where_booking_does(rows: list[Row], policy: Row, changes: list[Row]) -> None:
    timeline, entries = timeline_of(file_of(rows, policy, changes)), entries_of(rows)
    lines = sorted(map(line_of, entries), key=lambda line: line.at_us)
    state = None
    for line, state in walked(lines, timeline, quote="USD"):
        assert state.policy == timeline.at(line.at_us)
    if state is not None:
        known = timeline.until(lines[-1].at_us)
        assert as_portable(outcome(state, known)) == as_portable(book(entries, known, quote="USD"))


def test_a_timeline_knows_what_holds_when() -> None:
    timeline = parse_timeline(
        {"long_days": 1},
        [
            {"from": "2025-01-01T00:00:00Z", "policy": {"method": "acb", "long_days": 2}},
            {"from": JsonNumber("1700000000000"), "policy": {"method": "lifo"}},
        ],
    )
    assert [change.policy.method for change in timeline.changes] == [Method.LIFO, Method.ACB]
    assert timeline.last.method is Method.ACB
    assert [timeline.at(NEW_YEAR_US + shift).method for shift in (-(10**15), -1, 0)] == ["fifo", "lifo", "acb"]
    assert [timeline.long_us(NEW_YEAR_US + shift) // 86_400_000_000 for shift in (-(10**15), -1, 0)] == [1, 365, 2]
    assert timeline.until(NEW_YEAR_US - 1).last.method is Method.LIFO
    assert timeline.until(NEW_YEAR_US) == timeline
    assert parse_timeline({"long_days": 1}, changes_as_portable(timeline)) == timeline
    assert always(LIFO) == Timeline(LIFO) == parse_timeline({"method": "lifo"}, None)
    assert always(timeline) is timeline


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "changes_invalid"),
        ([[]], "changes_invalid"),
        ([{"from": 1}], "changes_invalid"),
        ([{"from": "soon", "policy": {}}], "change_moment_invalid"),
        ([{"from": 1, "policy": {"method": "lofo"}}], "policy_invalid"),
        ([{"from": 1, "policy": {}}, {"from": "1970-01-01T00:00:00.001Z", "policy": {}}], "change_twice"),
        ([{"from": number, "policy": {}} for number in range(MOST_CHANGES + 1)], "too_many_changes"),
    ],
)
def test_what_is_no_timeline_is_refused(changes: object, code: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_timeline({}, changes)
    assert caught.value.code == code


def test_lots_come_to_be_ranked_by_what_they_cost_at_the_change() -> None:
    """The price without the fee is known of what is bought under HIFO alone; at other changes what is left decides."""
    rows: list[Row] = [
        {"id": "dear", "ts": 1, "type": "buy", "asset": "X", "amount": "1", "value": "10", "fee": "5"},
        {"id": "cheap", "ts": 2, "type": "buy", "asset": "X", "amount": "1", "value": "12"},
        {"id": "s", "ts": 9, "type": "sell", "asset": "X", "amount": "1", "value": "20"},
    ]
    by_price: Row = {"method": "hifo", "hifo_excl_fee": True}
    before: list[tuple[Row, str]] = [({}, "dear"), ({"method": "hifo"}, "dear"), (by_price, "cheap")]
    for policy, first in before:
        timeline = timeline_of(file_of([], policy, [{"from": 5, "policy": by_price}]))
        result = as_portable(book(entries_of(rows), timeline))
        assert [lot["lot"] for lot in result["disposals"][0]["lots"]] == [first]  # type: ignore[index]


def test_coins_that_two_alias_buckets_share_go_back_to_those_who_hold_them() -> None:
    rows: list[Row] = [
        {"id": "e", "ts": 1, "type": "buy", "asset": "ETH", "amount": "2", "value": "20"},
        {"id": "w", "ts": 2, "type": "buy", "asset": "WETH", "amount": "1", "value": "40"},
        {"id": "t", "ts": 3, "type": "trade", "out_asset": "ETH", "out_amount": "1"}
        | {"in_asset": "WETH", "in_amount": "1"},
    ]
    timeline = Timeline(Policy(alias={"WETH": "ETH"}), (PolicyChange(5000, Policy()), PolicyChange(6000, ACB)))
    assert book(entries_of(rows), timeline).pools == {
        ("ETH", None): (10**30, 10 * 10**30),
        ("WETH", None): (2 * 10**30, 50 * 10**30),
    }
