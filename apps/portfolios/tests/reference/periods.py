"""Rules that change: each period is booked by itself, and begins with what the one before left."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import cast

from apps.portfolios.tests.reference.average import AverageBook
from apps.portfolios.tests.reference.lots import LotBook
from apps.portfolios.tests.reference.numbers import ZERO, BadLineError, printed_time, read_time, rounded, share
from apps.portfolios.tests.reference.outcome import Disposal, Missing, Outcome, Piece
from apps.portfolios.tests.reference.section104 import Section104Book
from apps.portfolios.tests.reference.steps import Change, Meaning, Raw, Reader, Step, bucket

POOLED = {"acb", "uk_s104"}
Row = dict[str, object]
Place = tuple[str, str]
Key = tuple[str, str | None]
Shelves = dict[Key, list[Piece]]


@dataclass
class Period:
    """Rules from one moment to another."""

    policy: Raw
    begins: datetime | None = None
    ends: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.begins is None or self.begins <= at) and (self.ends is None or at < self.ends)


@dataclass
class Found:
    """What one period came to."""

    outcome: Outcome
    errors: list[Row]


@dataclass
class Whole:
    """All periods so far: what they found together, and what the last one leaves."""

    meanings: list[Meaning] = field(default_factory=list)
    disposals: list[Disposal] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    sums: dict[Place, Fraction] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    outcome: Outcome = field(default_factory=Outcome)
    policy: Raw = field(default_factory=dict)
    shelves: Shelves = field(default_factory=dict)
    seeds: list[tuple[Key, Piece]] = field(default_factory=list)
    lines: int = 0

    def hand_over(self, period: Period) -> None:
        """Give each piece to whoever holds the coins: the oldest first, to accounts in order of their first coin."""
        left = self.shelves
        if method_of(self.policy) in POOLED:
            left = pools_as_lots(self.outcome, cast("datetime", period.begins), self.lines - 1)
        wanted: dict[Key, dict[Key, Fraction]] = defaultdict(dict)
        for (account, coin), amount in self.sums.items():
            never = sum((row.missing for row in self.missing if (row.account, row.asset) == (account, coin)), ZERO)
            wants, key = wanted[key_of(self.policy, account, coin)], key_of(period.policy, account, coin)
            wants[key] = wants.get(key, ZERO) + amount + never
        self.seeds = []
        for key, wants in wanted.items():
            queue = [(target, amount) for target, amount in wants.items() if amount > 0] or [(next(iter(wants)), ZERO)]
            for piece in left.get(key, []):
                self.seeds += [(to, ranked(part, self.policy, period.policy)) for to, part in cut(piece, queue)]

    def book(self, period: Period, rows: list[Raw], quote: str) -> Found:
        """Book the lines of one period, of all rows in order."""
        meanings, errors = read_period(period, rows, quote)
        steps = [step for meaning in meanings for step in meaning.steps]
        self.policy, self.lines = period.policy, sum(1 for raw in rows if in_time(period, raw)) + self.lines
        self.outcome, self.shelves = book_period(period, self.seeds, steps)
        if period.policy.get("missing") == "error":
            short = [row.tx.removesuffix(":fee") for row in self.outcome.missing]
            errors += [{"tx": tx, "code": "missing_acquisition"} for tx in dict.fromkeys(short)]
        errors += [{"tx": meaning.tx, "code": "value_missing"} for meaning in meanings if meaning.unpriced]
        self.meanings += meanings
        self.disposals += self.outcome.disposals
        self.missing += self.outcome.missing
        for meaning in meanings:
            for change in meaning.changes:
                self.add(change)
        return Found(self.outcome, errors)

    def add(self, change: Change) -> None:
        """Add to the plain sums; what was missing never was there, so no split grows it."""
        if not change.is_ratio:
            self.sums[change.account, change.coin] += change.amount
            return
        for place, amount in self.sums.items():
            if bucket(place[1], self.policy) == bucket(change.coin, self.policy):
                rows = [row for row in self.missing if (row.account, row.asset) == place and row.place < change.place]
                never = sum((row.missing for row in rows), ZERO)
                self.sums[place] = rounded((amount + never) * change.amount) - never


def periods_of(file: Raw) -> list[Period]:
    """Return the periods of a file's rules."""
    periods = [Period(cast("Raw", file.get("policy") or {}))]
    changes = cast("list[Raw]", file.get("policy_changes") or [])
    for row in sorted(changes, key=lambda row: read_time(row["from"])):
        periods[-1].ends = read_time(row["from"])
        periods.append(Period(cast("Raw", row["policy"]), periods[-1].ends))
    return periods


def method_of(policy: Raw) -> str:
    return str(policy.get("method") or "fifo")


def key_of(policy: Raw, account: str, coin: str) -> Key:
    """Return where the cost of a coin in an account is kept."""
    return bucket(coin, policy), account if policy.get("scope") == "per_account" else None


def in_time(period: Period, raw: Raw) -> bool:
    return period.holds(read_time(raw["ts"]))


def read_period(period: Period, rows: list[Raw], quote: str) -> tuple[list[Meaning], list[Row]]:
    """Return what the good lines of a period mean, in order, and the bad lines."""
    meanings: list[Meaning] = []
    errors: list[Row] = []
    for place, raw in enumerate(rows):
        if in_time(period, raw):
            try:
                meanings.append(Reader(raw, place, period.policy, quote).read())
            except BadLineError as error:
                errors.append({"tx": raw["id"], "code": error.code})
    return meanings, errors


def book_period(period: Period, seeds: list[tuple[Key, Piece]], steps: list[Step]) -> tuple[Outcome, Shelves]:
    """Book one period that begins with these pieces; return what it found, and the lots that it leaves."""
    method = method_of(period.policy)
    if method in POOLED:
        opening = [opened(key, piece, cast("datetime", period.begins)) for key, piece in seeds]
        numbered = [replace(step, number=number) for number, step in enumerate([*opening, *steps])]
        if method == "acb":
            return AverageBook(period.policy).book(numbered), {}
        return Section104Book(period.policy).book(numbered), {}
    book = LotBook(period.policy)
    for key, piece in seeds:
        book.put(book.shelves[key], piece)
    outcome = book.book([replace(step, number=number) for number, step in enumerate(steps)])
    left = {key: sorted(shelf, key=lambda one: (one.place, one.arrived)) for key, shelf in book.shelves.items()}
    return outcome, left


def opened(key: Key, piece: Piece, at: datetime) -> Step:
    """Return what a pool begins with."""
    return Step("opening", -1, at, piece.lot, key[0], key[0], key[1] or "", piece.amount, piece.cost)


def pools_as_lots(outcome: Outcome, at: datetime, place: int) -> Shelves:
    """Return every pool as one lot of the moment of the change, at its average."""
    found: Shelves = {}
    for row in outcome.remaining:
        lot = f"pool:{row.asset}@{printed_time(at)}"
        found[row.asset, row.account] = [Piece(lot, place, at, row.amount, row.cost, ZERO, ZERO)]
    return found


def cut(piece: Piece, queue: list[tuple[Key, Fraction]]) -> list[tuple[Key, Piece]]:
    """Cut a piece so that each part fits whoever is first in the queue; the last one takes all that comes."""
    key, room = queue[0]
    if len(queue) == 1 or piece.amount < room:
        queue[0] = (key, room - piece.amount)
        return [(key, piece)]
    queue.pop(0)
    if piece.amount == room:
        return [(key, piece)]
    cost = share(piece.cost, room, piece.amount)
    rest = replace(piece, amount=piece.amount - room, cost=piece.cost - cost)
    return [(key, replace(piece, amount=room, cost=cost)), *cut(rest, queue)]


def ranked(piece: Piece, before: Raw, after: Raw) -> Piece:
    """Let a lot that comes to be ranked by price be ranked by what a coin of it costs now."""
    same_fees = bool(before.get("hifo_excl_fee")) == bool(after.get("hifo_excl_fee"))
    if method_of(before) == "hifo" and same_fees:
        return replace(piece)
    unit = piece.cost / piece.amount if piece.amount else ZERO
    return replace(piece, unit=unit, price=unit)
