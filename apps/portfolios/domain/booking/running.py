"""Running the engine over a list of transactions, and asking a state what it came to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from operator import itemgetter
from typing import Final

from apps.portfolios.domain.booking.basis import Key
from apps.portfolios.domain.booking.engine import State
from apps.portfolios.domain.booking.lines import Line, line_of
from apps.portfolios.domain.booking.matched import Matched
from apps.portfolios.domain.booking.pools import Trail
from apps.portfolios.domain.booking.records import Booking, OpenLot, Problem, Sink
from apps.portfolios.domain.booking.switching import switched
from apps.portfolios.domain.policy import Method, Policy
from apps.portfolios.domain.timeline import PolicyChange, Timeline, always
from apps.portfolios.domain.transactions import Entry

DEFAULT_QUOTE: Final = "USD"

_BY_TIME: Final = itemgetter(0)


def book(entries: Iterable[Entry], rules: Policy | Timeline, *, quote: str | None = None) -> Booking:
    """Book the entries by the rules; order is time, then the order given, and a repeated id counts once."""
    sink = Sink()
    lines: list[Line] = []
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        if entry.id in seen:
            sink.problems.append(repeated(entry.id, index=index))
        else:
            seen.add(entry.id)
            lines.append(line_of(entry))
    timeline = always(rules)
    return outcome(book_lines(lines, timeline, quote=quote, sink=sink), timeline)


def book_lines(
    lines: list[Line], rules: Policy | Timeline, *, quote: str | None = None, sink: Sink | None = None
) -> State:
    """Book lines whose ids differ and return the state; the list is put in order of time and emptied."""
    lines.sort(key=_BY_TIME)
    timeline = always(rules)
    money = quote or next((line.quote for line in lines if line.quote), DEFAULT_QUOTE)
    state = start(timeline.first, quote=money, sink=sink, ahead=_before(lines, timeline.changes))
    lines.reverse()
    for place, change in enumerate(timeline.changes, start=1):
        _run(state, lines, until=change.at_us)
        ahead = _before(reversed(lines), timeline.changes[place:])
        state = switched(state, change.policy, at_us=change.at_us, ahead=ahead)
    return _run(state, lines)


def start(policy: Policy, *, quote: str, sink: Sink | None = None, ahead: Iterable[Line] = ()) -> State:
    """Return an empty state; `ahead` are the lines to come in order, which a window around losses looks into."""
    foresight: Mapping[Key, Trail] | None = None
    if policy.watched:
        scout = State(policy, quote=quote)
        for line in ahead:
            scout.apply(line)
        foresight = scout.books.trails()
    return State(policy, quote=quote, sink=sink, foresight=foresight)


def walked(lines: Sequence[Line], rules: Policy | Timeline, *, quote: str) -> Iterator[tuple[Line, State]]:
    """Book line after line, which are in order of time, and hand out each with the state that it leads to."""
    timeline = always(rules)
    state, ahead = start(timeline.first, quote=quote, ahead=_before(lines, timeline.changes)), list(timeline.changes)
    for place, line in enumerate(lines):
        while ahead and ahead[0].at_us <= line.at_us:
            change = ahead.pop(0)
            coming = _before(lines[place:], ahead)
            state = switched(state, change.policy, at_us=change.at_us, ahead=coming)
        state.apply(line)
        yield line, state


def outcome(state: State, timeline: Timeline | None = None) -> Booking:
    """Return what the lines so far came to; the state may go on afterwards."""
    books, sink = state.books, state.sink
    matched = Matched(books) if state.policy.method is Method.UK_S104 else None
    problems, shortfalls = list(sink.problems), list(sink.shortfalls)
    if matched is not None:
        shortfalls += matched.shortfalls
        problems += matched.problems
    return Booking(
        policy=state.policy,
        quote=state.quote,
        disposals=sink.disposals if matched is None else [*sink.disposals, *matched.disposals],
        open_lots=sorted(books.open_lots(), key=_age) if matched is None else matched.open_lots,
        holdings=dict(books.holdings) if matched is None else matched.holdings,
        pools=books.pools() if matched is None else matched.pools,
        totals=books.totals if matched is None else matched.totals,
        shortfalls=shortfalls,
        incomes=sink.incomes,
        charges=sink.charges,
        problems=problems,
        timeline=timeline or Timeline(state.policy),
    )


def repeated(tx: str, *, index: int) -> Problem:
    """Return the problem of a line whose id an earlier line has."""
    return Problem(tx, "duplicate_id", "An earlier line has this id; it counts once.", place=index, field="id")


def _age(lot: OpenLot) -> tuple[int, int]:
    return (lot.at_us or 0, lot.seq)


def _run(state: State, lines: list[Line], *, until: int | None = None) -> State:
    """Book the lines, the first one last in the list, as far as a moment."""
    apply = state.apply
    if until is None:
        while lines:
            apply(lines.pop())
    else:
        while lines and lines[-1].at_us < until:
            apply(lines.pop())
    return state


def _before(lines: Iterable[Line], changes: Sequence[PolicyChange]) -> Iterator[Line]:
    """Go through the lines, in order, as far as the next change."""
    if not changes:
        return iter(lines)
    return takewhile(lambda line: line.at_us < changes[0].at_us, lines)
