"""What booking finds, in plain values: disposals, what is left, what was missing."""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from apps.portfolios.tests.reference.numbers import ZERO
from apps.portfolios.tests.reference.steps import Step


@dataclass
class Piece:
    """A part of a lot: who created it and when, what is left of it, and what a coin of it cost exactly."""

    lot: str
    place: int
    acquired_at: datetime
    amount: Fraction
    cost: Fraction
    unit: Fraction
    price: Fraction
    arrived: int = 0
    term: str = ""


@dataclass
class Match:
    """One part of a disposal under the British rules."""

    rule: str
    date: str | None
    amount: Fraction
    cost: Fraction


@dataclass
class Disposal:
    """One line of the result."""

    tx: str
    kind: str
    asset: str
    account: str | None
    amount: Fraction
    proceeds: Fraction
    cost: Fraction
    gain: Fraction
    term: str | None = None
    pieces: list[Piece] = field(default_factory=list)
    short: Fraction = ZERO
    long: Fraction = ZERO
    superficial: Fraction = ZERO
    date: str | None = None
    matches: list[Match] = field(default_factory=list)


@dataclass
class Missing:
    """What a disposal or a transfer did not find."""

    tx: str
    asset: str
    account: str
    found: Fraction
    missing: Fraction
    place: int


@dataclass
class Remaining:
    """One row of what is left."""

    lot: str | None
    asset: str
    account: str | None
    amount: Fraction
    cost: Fraction
    acquired_at: datetime | None


@dataclass
class Outcome:
    """All that one method found."""

    disposals: list[Disposal] = field(default_factory=list)
    remaining: list[Remaining] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    def report_missing(self, step: Step, found: Fraction, wanted: Fraction) -> None:
        """Record what was looked for and not found, if anything."""
        if wanted > found:
            row = Missing(step.tx, step.coin, step.account, found, wanted - found, step.place)
            self.missing.append(row)
