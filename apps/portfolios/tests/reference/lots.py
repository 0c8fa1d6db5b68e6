"""FIFO, LIFO and HIFO over separate lots, universal or per account, in the slowest way that is plainly right."""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

from apps.portfolios.tests.reference.numbers import ZERO, rounded, share
from apps.portfolios.tests.reference.outcome import Disposal, Outcome, Piece, Remaining
from apps.portfolios.tests.reference.steps import Raw, Step

Shelf = list[Piece]


class LotBook:
    """Keeps every open piece of every lot on a shelf per bucket, and per account where the scope says so."""

    def __init__(self, policy: Raw) -> None:
        self.method = str(policy.get("method", "fifo"))
        self.per_account = policy.get("scope") == "per_account"
        self.long_days = int(str(policy.get("long_days", 365)))
        self.without_fee = bool(policy.get("hifo_excl_fee"))
        self.shelves: dict[tuple[str, str | None], Shelf] = defaultdict(list)
        self.outcome = Outcome()
        self.arrivals = 0

    def book(self, steps: list[Step]) -> Outcome:
        for step in steps:
            getattr(self, step.act)(step)
        for (asset, account), shelf in self.shelves.items():
            for piece in sorted(shelf, key=lambda piece: (piece.place, piece.arrived)):
                row = Remaining(piece.lot, asset, account, piece.amount, piece.cost, piece.acquired_at)
                self.outcome.remaining.append(row)
        return self.outcome

    # --- Shelves ---
    def shelf(self, step: Step, account: str | None = None) -> Shelf:
        return self.shelves[step.asset, (account or step.account) if self.per_account else None]

    def put(self, shelf: Shelf, piece: Piece) -> None:
        self.arrivals += 1
        shelf.append(replace(piece, arrived=self.arrivals))

    def put_new(self, shelf: Shelf, step: Step, amount: Fraction, cost: Fraction, price: Fraction) -> None:
        unit = cost / amount
        self.put(shelf, Piece(step.tx, step.place, step.at, amount, cost, unit, price / amount))

    def rank(self, piece: Piece) -> tuple[Fraction | int, ...]:
        """Return what makes a piece come first: oldest, newest or dearest; ties: earlier given (LIFO: later)."""
        if self.method == "fifo":
            return (piece.place, piece.arrived)
        if self.method == "lifo":
            return (-piece.place, -piece.arrived)
        return (-(piece.price if self.without_fee else piece.unit), piece.place, piece.arrived)

    def take(self, step: Step, shelf: Shelf, wanted: Fraction) -> list[Piece]:
        """Take pieces off a shelf in the order of the method, as far as they go; report what is missing."""
        taken: list[Piece] = []
        left = wanted
        while left and shelf:
            piece = min(shelf, key=self.rank)
            amount = min(left, piece.amount)
            cost = share(piece.cost, amount, piece.amount)
            taken.append(replace(piece, amount=amount, cost=cost))
            piece.amount -= amount
            piece.cost -= cost
            left -= amount
            if not piece.amount:
                shelf.remove(piece)
        self.outcome.report_missing(step, wanted - left, wanted)
        return taken

    # --- Steps ---
    def acquire(self, step: Step) -> None:
        self.put_new(self.shelf(step), step, step.amount, step.money, step.price)

    def dispose(self, step: Step) -> None:
        pieces = self.take(step, self.shelf(step), step.amount)
        for piece in pieces:
            piece.term = "long" if (step.at - piece.acquired_at).days >= self.long_days else "short"
        self.outcome.disposals.append(disposal_of(step, pieces))

    def consume(self, step: Step) -> None:
        self.take(step, self.shelf(step), step.amount)

    def move(self, step: Step) -> None:
        target = self.shelf(step, step.to_account)
        if step.account == step.to_account:
            return
        if target is self.shelf(step):
            self.move_within(step, target)
            return
        pieces = self.take(step, self.shelf(step), step.amount)
        for piece in pieces:
            self.put(target, piece)
        self.deliver_missing(step, target, step.amount - sum((piece.amount for piece in pieces), ZERO))

    def move_within(self, step: Step, shelf: Shelf) -> None:
        """Leave the lots where they are; only what they do not cover is missing, and arrives at no cost."""
        found = min(step.amount, sum((piece.amount for piece in shelf), ZERO))
        self.outcome.report_missing(step, found, step.amount)
        self.deliver_missing(step, shelf, step.amount - found)

    def deliver_missing(self, step: Step, shelf: Shelf, amount: Fraction) -> None:
        if amount:
            self.put_new(shelf, step, amount, ZERO, ZERO)

    def split(self, step: Step) -> None:
        for (asset, _), shelf in self.shelves.items():
            for piece in shelf if asset == step.asset else []:
                piece.amount = rounded(piece.amount * step.amount)
                piece.unit /= step.amount
                piece.price /= step.amount

    def return_of_capital(self, step: Step) -> None:
        """Spread the money over the lots by amount, each lowered at most to zero; the rest is a gain."""
        shelf = sorted(self.shelf(step), key=lambda piece: (piece.place, piece.arrived))
        total = sum((piece.amount for piece in shelf), ZERO)
        left, gains, beyond = step.money, {"short": ZERO, "long": ZERO}, []
        for number, piece in enumerate(shelf):
            last = number == len(shelf) - 1
            part = left if last else min(left, rounded(step.money * piece.amount / total))
            left -= part
            lowered = min(part, piece.cost)
            piece.cost -= lowered
            piece.unit = max(ZERO, piece.unit - part / piece.amount) if piece.cost else ZERO
            term = "long" if (step.at - piece.acquired_at).days >= self.long_days else "short"
            gains[term] += part - lowered
            if part > lowered:
                beyond.append(replace(piece, amount=ZERO, cost=ZERO, term=term))
        gains["short"] += left
        if sum(gains.values(), ZERO):
            self.outcome.disposals.append(capital_gain(step, gains["short"], gains["long"], beyond))

    def opening(self, step: Step) -> None:
        raise AssertionError(step)


def disposal_of(step: Step, pieces: list[Piece]) -> Disposal:
    """Make the line of a disposal; what was not found has no cost and counts as short."""
    found = sum((piece.amount for piece in pieces), ZERO)
    cost = sum((piece.cost for piece in pieces), ZERO)
    of_long = [piece for piece in pieces if piece.term == "long"]
    long_amount = sum((piece.amount for piece in of_long), ZERO)
    long_proceeds = share(step.money, long_amount, step.amount)
    long = long_proceeds - sum((piece.cost for piece in of_long), ZERO)
    terms = {piece.term for piece in pieces} | ({"short"} if found < step.amount else set())
    gain = step.money - cost
    return Disposal(
        tx=step.tx,
        kind=step.kind,
        asset=step.coin,
        account=step.account,
        amount=step.amount,
        proceeds=step.money,
        cost=cost,
        gain=gain,
        term="mixed" if len(terms) > 1 else terms.pop(),
        pieces=pieces,
        short=gain - long,
        long=long,
    )


def capital_gain(step: Step, short: Fraction, long: Fraction, beyond: list[Piece]) -> Disposal:
    """Make the line of capital returned beyond cost."""
    gain = short + long
    term = "mixed" if short and long else ("long" if long else "short")
    row = Disposal(step.tx, "return_of_capital", step.coin, step.account, ZERO, gain, ZERO, gain, term, beyond)
    row.short, row.long = short, long
    return row
