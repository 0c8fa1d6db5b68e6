"""Checkpoints: booking that pauses, rests as bytes and goes on is booking that never stopped."""

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apps.portfolios.domain.booking import Booking, Sink, State, book_lines, line_of, outcome
from apps.portfolios.domain.booking.checkpoints import (
    STEP,
    DamagedError,
    at_end,
    buckets_of,
    can_rest,
    head_of,
    ladder,
    lots_of,
    open_lots_of,
    state_of,
)
from apps.portfolios.domain.booking.lines import Line
from apps.portfolios.domain.booking.stretches import chain_of, safe_cuts, stretches
from apps.portfolios.domain.faults import Faults, together
from apps.portfolios.domain.policy import Policy, parse_policy
from apps.portfolios.domain.result import closing
from apps.portfolios.domain.transactions import EntryError, parse_entry
from apps.portfolios.tests.ledgers import Row, ledgers, policies

calm = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@calm
@given(rows=ledgers(), raw=policies, places=st.sets(st.integers(1, 30), max_size=4))
def test_resting_changes_nothing(rows: list[Row], raw: Row, places: set[int]) -> None:
    policy = parse_policy(raw)
    assume(can_rest(policy))
    lines = sorted(lines_of(rows), key=lambda line: line.at_us)
    cuts = safe_cuts(lines, sorted(place for place in places if place < len(lines)), start=0)
    assert all(lines[cut - 1].at_us < lines[cut].at_us for cut in cuts)
    whole = outcome(book_lines(list(lines), policy, quote="USD"))
    assert said(resumed(lines, policy, cuts)) == said(whole)


def resumed(lines: list[Line], policy: Policy, cuts: list[int]) -> Booking:
    """Book with a rest at every cut: of what rests only bytes stay, and only named buckets are woken."""
    state, start, chain, sink = State(policy, quote="USD"), 0, b"", Sink()
    lots: dict[tuple[str, str | None], list[list[object]]] = {}
    for cut in (*cuts, len(lines)):
        (one,) = stretches(state, lines[start:cut], start=start, chain=chain, cuts=())
        assert (one.start, one.end) == (start, cut)
        for name in ("disposals", "shortfalls", "incomes", "charges", "problems"):
            getattr(sink, name).extend(getattr(one.sink, name))
        lots |= orjson_round(lots_of(state, one.keys))
        chain, start, head = one.chain, cut, orjson.loads(orjson.dumps(head_of(state)))
        state = state_of(head, lots, policy=policy, quote="USD", buckets=buckets_of(lines[start:], policy))
    assert chain == chain_of(lines, chain=b"")
    everything = {bucket for bucket, _account in state.books.sums()}
    state = state_of(head, lots, policy=policy, quote="USD", buckets=everything)
    state.sink = state.books.sink = sink
    booking = outcome(state)
    if not policy.pooled:
        shown = [lot for key, rows in lots.items() for lot in open_lots_of(key, rows)]
        assert sorted(shown, key=repr) == sorted(booking.open_lots, key=repr)
    return booking


def orjson_round(
    lots: dict[tuple[str, str | None], list[list[object]]],
) -> dict[tuple[str, str | None], list[list[object]]]:
    return {key: orjson.loads(orjson.dumps(rows)) for key, rows in lots.items()}


def said(booking: Booking) -> list[object]:
    pieces = [
        [(one.lot, one.amount, one.cost, one.at_us, one.seq, one.rank) for one in record.pieces]
        for record in booking.disposals
    ]
    records = [record._replace(pieces=()) for record in booking.disposals]
    lots = sorted(booking.open_lots, key=repr)
    return [
        *(records, pieces, lots, booking.holdings, booking.pools, booking.totals),
        *(booking.shortfalls, booking.incomes, booking.charges, booking.problems),
    ]


def lines_of(rows: list[Row]) -> list[Line]:
    found = []
    for index, row in enumerate(rows):
        try:
            found.append(line_of(parse_entry(row, index=index)))
        except EntryError:
            continue
    return found


@given(kept=st.lists(st.integers(1, 60_000), unique=True), more=st.integers(1, 5_000))
def test_states_are_kept_on_a_ladder(kept: list[int], more: int) -> None:
    start = max(kept, default=0)
    total = start + more
    cuts, dropped = ladder(kept, start=start, total=total)
    assert set(dropped) <= set(kept)
    assert all(start < cut < total for cut in cuts)
    left = sorted({*kept, *cuts} - set(dropped))
    rungs = [((total - position) // STEP).bit_length() for position in left]
    assert len(set(rungs)) == len(rungs)
    again = ladder(left, start=max(left, default=0), total=total)
    assert again == ([], [])


def test_a_change_costs_a_multiple_of_what_follows_it() -> None:
    positions: list[int] = []
    for total in range(100, 60_000, 100):
        cuts, dropped = ladder(positions, start=max(positions, default=0), total=total)
        positions = sorted({*positions, *cuts} - set(dropped))
        for follows in (1, 300, 3_000, 30_000):
            if follows < total:
                start = max((one for one in positions if one <= total - follows), default=0)
                assert total - start <= 4 * follows + 2 * STEP


def test_lots_that_are_not_those_put_to_rest_are_refused() -> None:
    policy = Policy()
    state = State(policy, quote="USD")
    state.apply(line_of(parse_entry({"id": "a", "ts": 0, "type": "buy", "asset": "X", "amount": "2", "value": "4"})))
    head, lots = head_of(state), lots_of(state, state.books.sums())
    assert state_of(head, lots, policy=policy, quote="USD", buckets={"X"}).books.sums() == state.books.sums()
    with pytest.raises(DamagedError):
        state_of(head, {}, policy=policy, quote="USD", buckets={"X"})


def test_cuts_lie_between_two_times_and_tear_no_span() -> None:
    buy: Row = {"type": "buy", "asset": "X", "amount": "1", "value": "1"}
    lines = lines_of([{**buy, "id": str(number), "ts": ts} for number, ts in enumerate([1, 1, 2, 3, 3, 4])])
    assert safe_cuts(lines, [1, 3, 4, 5], start=0) == [3, 5]
    assert safe_cuts(lines, [13, 15], start=10, spans=[(2_000, 3_000), (7_000, 9_000)]) == [12, 15]


def test_the_end_of_a_state_says_what_the_whole_booking_says() -> None:
    rows: list[Row] = [
        {"id": "a", "ts": 1, "type": "buy", "asset": "X", "amount": "2", "value": "4"},
        {"id": "b", "ts": 2, "type": "sell", "asset": "X", "amount": "1", "value": "9"},
        {"id": "c", "ts": 3, "type": "sell", "asset": "Y", "amount": "1", "value": "9"},
    ]
    state = book_lines(lines_of(rows), Policy(), quote="USD")
    whole, end = closing(outcome(state)), closing(at_end(state))
    differing = {"remaining_lots", "missing", "errors"}
    assert {name: end[name] for name in end if name not in differing} == {
        name: whole[name] for name in whole if name not in differing
    }


def test_faults_of_stretches_add_up() -> None:
    first, then = Faults(1, 0, frozenset({"X"})), Faults(2, 1, frozenset({"X", "Y"}))
    assert together(first, then) == Faults(3, 1, frozenset({"X", "Y"}))
