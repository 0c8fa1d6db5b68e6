"""Checkpoints: booking that pauses, rests as bytes and goes on is booking that never stopped."""

import orjson
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apps.portfolios.domain.booking import Booking, Sink, State, book_lines, line_of, outcome
from apps.portfolios.domain.booking.checkpoints import (
    buckets_of,
    can_rest,
    head_of,
    lots_of,
    open_lots_of,
    state_of,
)
from apps.portfolios.domain.booking.lines import Line
from apps.portfolios.domain.booking.stretches import chain_of, safe_cuts, stretches
from apps.portfolios.domain.policy import Policy, parse_policy
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
