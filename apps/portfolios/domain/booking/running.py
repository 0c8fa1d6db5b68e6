"""Running the engine over a list of transactions, and asking a state what it came to."""

from collections.abc import Iterable, Mapping
from operator import attrgetter, itemgetter
from typing import Final

from apps.portfolios.domain.booking.basis import Key
from apps.portfolios.domain.booking.books import Books, acquisition_missing
from apps.portfolios.domain.booking.engine import State
from apps.portfolios.domain.booking.lines import Line, line_of
from apps.portfolios.domain.booking.pools import Trail
from apps.portfolios.domain.booking.records import Booking, Disposal, OpenLot, Problem, Shortfall, Sink, Totals
from apps.portfolios.domain.booking.scaled import product
from apps.portfolios.domain.booking.section104 import Settled
from apps.portfolios.domain.policy import Method, Missing, Policy
from apps.portfolios.domain.transactions import Entry

DEFAULT_QUOTE: Final = "USD"
Holdings = dict[tuple[str, str], int]

_BY_TIME: Final = itemgetter(0)


def book(entries: Iterable[Entry], policy: Policy, *, quote: str | None = None) -> Booking:
    """Book the entries by the policy; order is time, then the order given, and a repeated id counts once."""
    sink = Sink()
    lines: list[Line] = []
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        if entry.id in seen:
            sink.problems.append(repeated(entry.id, index=index))
        else:
            seen.add(entry.id)
            lines.append(line_of(entry))
    return outcome(book_lines(lines, policy, quote=quote, sink=sink))


def book_lines(lines: list[Line], policy: Policy, *, quote: str | None = None, sink: Sink | None = None) -> State:
    """Book lines whose ids differ and return the state; the list is put in order of time and emptied."""
    lines.sort(key=_BY_TIME)
    money = quote or next((line.quote for line in lines if line.quote), DEFAULT_QUOTE)
    state = start(policy, quote=money, sink=sink, ahead=lines)
    apply = state.apply
    lines.reverse()
    while lines:
        apply(lines.pop())
    return state


def start(policy: Policy, *, quote: str, sink: Sink | None = None, ahead: Iterable[Line] = ()) -> State:
    """Return an empty state; `ahead` are the lines to come in order, which a window around losses looks into."""
    foresight: Mapping[Key, Trail] | None = None
    if policy.method is Method.ACB and policy.superficial_window_days is not None:
        scout = State(policy, quote=quote)
        for line in ahead:
            scout.apply(line)
        foresight = scout.books.trails()
    return State(policy, quote=quote, sink=sink, foresight=foresight)


def outcome(state: State) -> Booking:
    """Return what the lines so far came to; the state may go on afterwards."""
    books, sink = state.books, state.sink
    matching = state.policy.method is Method.UK_S104
    matched = _Matched(state) if matching else None
    problems, shortfalls = list(sink.problems), list(sink.shortfalls)
    if matched is not None:
        shortfalls += matched.shortfalls
        problems += matched.problems
    return Booking(
        policy=state.policy,
        quote=state.quote,
        disposals=sink.disposals if matched is None else matched.disposals,
        open_lots=sorted(books.open_lots(), key=_age) if matched is None else matched.open_lots,
        holdings=dict(books.holdings) if matched is None else matched.holdings,
        pools=books.pools() if matched is None else matched.pools,
        totals=books.totals if matched is None else matched.totals,
        shortfalls=shortfalls,
        incomes=sink.incomes,
        charges=sink.charges,
        problems=problems,
    )


def repeated(tx: str, *, index: int) -> Problem:
    """Return the problem of a line whose id an earlier line has."""
    return Problem(tx, "duplicate_id", "An earlier line has this id; it counts once.", place=index, field="id")


class _Matched:
    """What the days of all assets come to when they are settled now."""

    def __init__(self, state: State) -> None:
        books = state.books
        settled = [(asset, matcher.settle()) for asset, matcher in books.matchers.items()]
        lines = sorted((line for _, one in settled for line in one.lines), key=attrgetter("seq"))
        self.disposals: list[Disposal] = [line.disposal for line in lines]
        self.pools: dict[Key, tuple[int, int]] = {
            (asset, None): (one.pool.amount, one.pool.cost) for asset, one in settled
        }
        self.open_lots = [
            OpenLot(None, asset, None, amount, cost, None, 0)
            for (asset, _), (amount, cost) in self.pools.items()
            if amount or cost
        ]
        realised = sum(disposal.gain for disposal in self.disposals)
        self.totals = Totals(realised=realised, income=books.totals.income, fees=books.totals.fees)
        self.shortfalls: list[Shortfall] = []
        self.problems: list[Problem] = []
        self._short: list[str] = []
        self._never: list[tuple[tuple[str, str], int, int]] = []
        for _, one in settled:
            self._missing(one)
        if state.policy.missing is Missing.ERROR:
            self.problems = [acquisition_missing(tx) for tx in dict.fromkeys(self._short)]
        self.holdings = self._held(books)

    def _missing(self, settled: Settled) -> None:
        for shortfall, sale in settled.shortfalls:
            self.shortfalls.append(shortfall)
            self._never.append(((sale.account, sale.asset), sale.seq, shortfall.missing))
            self._short.append(sale.line)

    def _held(self, books: Books) -> Holdings:
        """Return the sums of entries over all splits; what was missing never was there and does not grow."""
        before: Holdings = {}
        for era in books.eras:
            for place, amount in era.held.items():
                never = sum(missing for where, seq, missing in self._never if where == place and seq < era.seq)
                before[place] = product(before.get(place, 0) + amount + never, era.ratio) - never
        return {place: before.get(place, 0) + amount for place, amount in books.holdings.items()}


def _age(lot: OpenLot) -> tuple[int, int]:
    return (lot.at_us or 0, lot.seq)
