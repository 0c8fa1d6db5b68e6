"""What booking hands out: disposals with their pieces, shortfalls, income, charges, problems; amounts scaled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from apps.portfolios.domain.booking.lots import Piece
from apps.portfolios.domain.policy import Policy
from apps.portfolios.domain.timeline import Timeline


class Term(StrEnum):
    """How long what was disposed of had been held."""

    SHORT = "short"
    LONG = "long"
    MIXED = "mixed"


class Match(NamedTuple):
    """What the United Kingdom's rules matched a disposal with; the pool has no day."""

    rule: str
    day: int | None
    amount: int
    cost: int


class Disposal(NamedTuple):
    """One disposal: `amount` is all of it, `missing` what no lot was found for, `long_gain` what long lots gained."""

    tx: str
    kind: str
    asset: str
    account: str | None
    at_us: int
    amount: int
    proceeds: int
    cost: int
    gain: int
    term: Term | None
    pieces: Sequence[Piece] = ()
    missing: int = 0
    long_gain: int = 0
    superficial_loss: int = 0
    day: int | None = None
    matches: tuple[Match, ...] | None = None
    txs: tuple[str, ...] = ()


class Shortfall(NamedTuple):
    """What a disposal, fee or transfer needed and did not find."""

    tx: str
    asset: str
    account: str | None
    at_us: int
    found: int
    missing: int


class Received(NamedTuple):
    """One income at its value."""

    tx: str
    kind: str
    asset: str
    account: str
    at_us: int
    amount: int
    value: int


class Charged(NamedTuple):
    """The value of a fee that entered no cost and no proceeds."""

    tx: str
    at_us: int
    value: int


class Problem(NamedTuple):
    """A line that is not as it should be, or the policy; `tx` is None where the line has no id."""

    tx: str | None
    code: str
    message: str
    place: int | None = None
    field: str = ""


class OpenLot(NamedTuple):
    """What is left of a lot, or of a pool, which has no id and no date."""

    lot: str | None
    asset: str
    account: str | None
    amount: int
    cost: int
    at_us: int | None
    seq: int


class Sink:
    """Takes the records as they are made and keeps them all."""

    def __init__(self) -> None:
        self.disposals: list[Disposal] = []
        self.shortfalls: list[Shortfall] = []
        self.incomes: list[Received] = []
        self.charges: list[Charged] = []
        self.problems: list[Problem] = []

    def disposal(self, record: Disposal) -> None:
        """Take a disposal."""
        self.disposals.append(record)

    def income(self, record: Received) -> None:
        """Take an income."""
        self.incomes.append(record)

    def charge(self, record: Charged) -> None:
        """Take a fee."""
        self.charges.append(record)


@dataclass(slots=True)
class Totals:
    """Running sums, scaled."""

    realised: int = 0
    short: int = 0
    long: int = 0
    income: int = 0
    fees: int = 0


@dataclass(frozen=True, slots=True)
class Booking:
    """All that a list of transactions and rules come to; `policy` is the last one of the timeline."""

    policy: Policy
    quote: str
    disposals: list[Disposal]
    open_lots: list[OpenLot]
    holdings: dict[tuple[str, str], int]
    pools: dict[tuple[str, str | None], tuple[int, int]]
    totals: Totals
    shortfalls: list[Shortfall]
    incomes: list[Received]
    charges: list[Charged]
    problems: list[Problem] = field(default_factory=list)
    timeline: Timeline = field(default_factory=Timeline)

    def long_us(self, at_us: int) -> int:
        """Return how long what was disposed of at a moment must have been held to be long-term."""
        return self.timeline.long_us(at_us)


def term_of(pieces: Iterable[Piece], *, at_us: int, long_us: int, missing: int) -> tuple[Term, int, int]:
    """Return the term of a disposal with the amount and cost of its long-term pieces; what is missing is short."""
    long_amount = long_cost = 0
    any_short = bool(missing)
    any_long = False
    for piece in pieces:
        if at_us - piece.at_us >= long_us:
            any_long = True
            long_amount += piece.amount
            long_cost += piece.cost
        else:
            any_short = True
    if not any_long:
        return Term.SHORT, 0, 0
    return (Term.MIXED if any_short else Term.LONG), long_amount, long_cost
