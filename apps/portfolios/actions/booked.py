"""Making a result: all of a ledger is booked, or what came after a checkpoint, stretch by stretch into sealed parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from apps.portfolios.domain.booking import Booking, Line, Sink, State, book, line_of
from apps.portfolios.domain.booking.checkpoints import (
    at_end,
    buckets_of,
    can_rest,
    head_of,
    ladder,
    lots_of,
    state_of,
)
from apps.portfolios.domain.booking.stretches import Stretch, safe_cuts, stretches
from apps.portfolios.domain.faults import Faults, faults_of, issues_of, together
from apps.portfolios.domain.held import CLOSING, held, legs_among, parts
from apps.portfolios.domain.policy import Policy
from apps.portfolios.domain.result import Row, problem_rows, shortfall_row
from apps.portfolios.domain.timeline import Timeline
from apps.portfolios.domain.transactions import moment
from apps.portfolios.models import BookedLots, BookedPart, BookedResult, Checkpoint
from apps.portfolios.queries.booking import RECORDS, first_chain, input_hash, packed
from apps.portfolios.queries.checkpoints import Resting, checkpoint_positions, label_of, lots_at, sealed
from apps.portfolios.queries.ledger import ledger_entries, matched_spans

_BY_TIME: Final = attrgetter("at_us")
#: What stands in the stretches, and in rows of lots, and not at the end of a result.
_ELSEWHERE: Final = ("remaining_lots", "missing", "errors")


@dataclass(slots=True)
class Made:
    """A result that is not kept yet: what takes the place of all that an earlier one had after the checkpoint."""

    result: BookedResult
    resting: Resting | None
    end: Booking
    faults: Faults
    parts: list[BookedPart] = field(default_factory=list)
    lots: list[BookedLots] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)

    @property
    def start(self) -> int:
        """Return how many entries came before."""
        return 0 if self.resting is None else self.resting.position


def made_from(*, result: BookedResult, rules: Policy | Timeline, resting: Resting | None) -> Made:
    """Book a ledger from a checkpoint on, or from the beginning; the result tells the ledger and takes the figures."""
    timeline = rules if isinstance(rules, Timeline) else Timeline(rules)
    if timeline.changes or not can_rest(timeline.first):
        return _made_at_once(result, timeline)
    return _made_in_stretches(result, timeline.first, resting)


def _made_at_once(result: BookedResult, timeline: Timeline) -> Made:
    """Book everything: rules that change or look ahead leave nothing certain before the end."""
    portfolio = result.portfolio
    entries = ledger_entries(portfolio=portfolio)
    booking = book(entries, timeline, quote=portfolio.currency)
    made = Made(result, None, booking, faults_of(booking.shortfalls, booking.problems, legs=legs_among(entries)))
    found = parts(booking)
    closing = found.pop(CLOSING)
    records: Row = {name: closing.pop(name) for name in ("missing", "errors")}
    _add_parts(made, {CLOSING: closing, RECORDS: records, **found}, start=0)
    digest = input_hash(lines=map(line_of, entries), policy_hash=result.policy_hash, currency=portfolio.currency)
    return _finished(made, entries=len(entries), digest=digest, closing=closing)


def _made_in_stretches(result: BookedResult, policy: Policy, resting: Resting | None) -> Made:
    portfolio = result.portfolio
    after = None if resting is None else resting.until
    entries = ledger_entries(portfolio=portfolio, after=after)
    legs = legs_among(entries)
    lines = sorted(map(line_of, entries), key=_BY_TIME)
    del entries
    state, chain = _begun(result, policy, resting, lines)
    made = Made(result, resting, at_end(state), Faults() if resting is None else resting.faults)
    total = made.start + len(lines)
    kept = [] if resting is None else checkpoint_positions(result=resting.result, before=resting.position)
    cuts, made.dropped = ladder(kept, start=made.start, total=total)
    spans = matched_spans(portfolio=portfolio, after=after) if cuts else []
    cuts = safe_cuts(lines, cuts, start=made.start, spans=spans)
    for stretch in stretches(state, lines, start=made.start, chain=chain, cuts=cuts):
        chain = stretch.chain
        records, timeline = stretch.sink, Timeline(policy)
        made.faults = together(made.faults, faults_of(records.shortfalls, records.problems, legs=legs))
        _add_parts(made, _parts_of(records, state, timeline), start=stretch.start)
        _add_lots(made, state, stretch)
        if stretch.end < total:
            _add_checkpoint(made, state, stretch)
    made.end = at_end(state)
    closing = parts(made.end)[CLOSING]
    for name in _ELSEWHERE[0 if not policy.pooled else 1 :]:
        closing.pop(name)
    _add_parts(made, {CLOSING: closing}, start=0)
    return _finished(made, entries=total, digest=chain.hex(), closing=closing)


def _begun(result: BookedResult, policy: Policy, resting: Resting | None, lines: list[Line]) -> tuple[State, bytes]:
    portfolio = result.portfolio
    if resting is None:
        chain = first_chain(policy_hash=result.policy_hash, currency=portfolio.currency)
        return State(policy, quote=portfolio.currency), chain
    buckets = buckets_of(lines, policy)
    lots = {} if policy.pooled else lots_at(result=resting.result, position=resting.position, assets=buckets)
    state = state_of(resting.head, lots, policy=policy, quote=portfolio.currency, buckets=buckets)
    return state, resting.chain


def _parts_of(records: Sink, state: State, timeline: Timeline) -> dict[str, Row]:
    booking = Booking(
        policy=state.policy,
        quote=state.quote,
        disposals=records.disposals,
        open_lots=[],
        holdings={},
        pools={},
        totals=state.books.totals,
        shortfalls=records.shortfalls,
        incomes=records.incomes,
        charges=records.charges,
        problems=records.problems,
        timeline=timeline,
    )
    found = parts(booking)
    del found[CLOSING]
    if records.shortfalls or records.problems:
        missing = [shortfall_row(record) for record in records.shortfalls]
        found[RECORDS] = {"missing": missing, "errors": problem_rows(records.problems)}
    return found


def _add_parts(made: Made, found: dict[str, Row], *, start: int) -> None:
    made.parts += [
        BookedPart(result=made.result, name=name, start=start, body=packed(part=part)) for name, part in found.items()
    ]


def _add_lots(made: Made, state: State, stretch: Stretch) -> None:
    for (asset, account), rows in lots_of(state, stretch.keys).items():
        basis = (asset, account or "")
        label = label_of(result=made.result, position=stretch.end, basis=basis)
        body = sealed(body=rows, label=label)
        made.lots.append(BookedLots(result=made.result, asset=asset, account=basis[1], position=stretch.end, body=body))


def _add_checkpoint(made: Made, state: State, stretch: Stretch) -> None:
    faults = made.faults
    body: dict[str, Any] = {
        "head": head_of(state),
        "faults": [faults.short, faults.unbooked, sorted(faults.explained)],
    }
    chain = stretch.chain.hex()
    label = label_of(result=made.result, position=stretch.end, chain=chain)
    made.checkpoints.append(
        Checkpoint(
            result=made.result,
            position=stretch.end,
            until=moment(stretch.until_us),
            chain=chain,
            body=sealed(body=body, label=label),
        )
    )


def _finished(made: Made, *, entries: int, digest: str, closing: Row) -> Made:
    result = made.result
    totals = {name: closing[name] for name in closing if name.startswith(("realised_", "income_", "fees_"))}
    issues = issues_of(made.faults, holdings=held(made.end))
    result.totals = {**totals, "issues": [[issue.code.value, issue.count] for issue in issues]}
    result.entries, result.input_hash = entries, digest
    return made
