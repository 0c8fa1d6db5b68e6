"""Where cost lives: lots, average pools or London days, behind one set of verbs."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from apps.portfolios.domain.booking.lots import (
    DearestFirst,
    Lots,
    NewestFirst,
    OldestFirst,
    Piece,
    Taken,
    lower_cost,
    redenominate,
)
from apps.portfolios.domain.booking.pools import Pool, Trail
from apps.portfolios.domain.booking.records import OpenLot
from apps.portfolios.domain.policy import Method, Policy

Key = tuple[str, str | None]


class Sums(NamedTuple):
    """How much lies in a basis, at which cost, in how many lots; a pool that is not empty counts as one."""

    amount: int
    cost: int
    lots: int


class Basis(Protocol):
    """The cost of one asset in one account, or in all."""

    @property
    def amount(self) -> int:
        """How much there is."""

    def acquire(self, piece: Piece) -> None:
        """Put an acquisition in."""

    def take(self, amount: int) -> Taken:
        """Take an amount out as far as there is any."""

    def arrive(self, taken: Taken) -> None:
        """Put in what travelled, with its dates and costs."""

    def split(self, ratio: int) -> None:
        """Redenominate."""

    def lower_cost(self, value: int) -> list[tuple[Piece | None, int]]:
        """Lower the cost; return what is beyond it, by lot where there are lots."""

    def open_lots(self, key: Key) -> Iterator[OpenLot]:
        """Go through what is left."""

    def sums(self) -> Sums:
        """Return what is left in all."""


class LotBasis:
    """Lots in the order of a method."""

    __slots__ = ("_by_cost", "_lots", "amount")

    def __init__(self, policy: Policy) -> None:
        self._lots: Lots = new_lots(policy.method)
        self._by_cost = not policy.hifo_excl_fee
        self.amount = 0

    def acquire(self, piece: Piece) -> None:
        """Open a lot."""
        self.amount += piece.amount
        self._lots.add(piece)

    def take(self, amount: int) -> Taken:
        """Take lots in order, the last one in part."""
        taken = self._lots.take(amount)
        self.amount -= taken.found
        return taken

    def arrive(self, taken: Taken) -> None:
        """Open what travelled as lots of the same id, date, cost and rank."""
        self.amount += taken.found
        for piece in taken.pieces:
            self._lots.add(piece)

    def split(self, ratio: int) -> None:
        """Redenominate every lot."""
        self.amount = redenominate(self._lots, ratio)

    def lower_cost(self, value: int) -> list[tuple[Piece | None, int]]:
        """Lower the cost of every lot by its share; without lots all of it is beyond."""
        if next(self._lots.open(), None) is None:
            return [(None, value)]
        return list(lower_cost(self._lots, value, by_cost=self._by_cost))

    def open_lots(self, key: Key) -> Iterator[OpenLot]:
        """Go through the open lots."""
        asset, account = key
        for lot in self._lots.open():
            yield OpenLot(lot.lot, asset, account, lot.amount, lot.cost, lot.at_us, lot.seq)

    def lots(self) -> Iterator[Piece]:
        """Go through the open lots; acquired anew in this order they make the same basis."""
        return self._lots.in_order()

    def sums(self) -> Sums:
        """Add up the open lots."""
        costs = [lot.cost for lot in self._lots.open()]
        return Sums(self.amount, sum(costs), len(costs))


class PoolBasis:
    """One average; with a trail where a window around losses has to be looked at."""

    __slots__ = ("pool", "trail")

    def __init__(self, trail: Trail | None = None) -> None:
        self.pool = Pool()
        self.trail = trail

    @property
    def amount(self) -> int:
        """How much there is."""
        return self.pool.amount

    def acquire(self, piece: Piece) -> None:
        """Average an acquisition in."""
        self.pool.add(amount=piece.amount, cost=piece.cost)
        if self.trail is not None:
            self.trail.acquired(at_us=piece.at_us, amount=piece.amount)

    def take(self, amount: int) -> Taken:
        """Take an amount at the average."""
        return Taken([], *self.pool.take(amount))

    def arrive(self, taken: Taken) -> None:
        """Average in what travelled."""
        self.pool.add(amount=taken.found, cost=taken.cost)

    def split(self, ratio: int) -> None:
        """Redenominate the pool."""
        if self.trail is not None:
            self.trail.split(ratio)
        self.pool.redenominate(ratio)

    def lower_cost(self, value: int) -> list[tuple[Piece | None, int]]:
        """Lower the pool's cost."""
        beyond = self.pool.lower_cost(value)
        return [(None, beyond)] if beyond else []

    def open_lots(self, key: Key) -> Iterator[OpenLot]:
        """Show the pool as one row, unless it is empty."""
        if self.pool.amount or self.pool.cost:
            yield OpenLot(None, *key, self.pool.amount, self.pool.cost, None, 0)

    def sums(self) -> Sums:
        """Return what the pool holds."""
        amount, cost = self.pool.amount, self.pool.cost
        return Sums(amount, cost, 1 if amount or cost else 0)


def new_lots(method: Method) -> Lots:
    """Return an empty set of lots in the order of the method."""
    if method is Method.FIFO:
        return OldestFirst()
    return NewestFirst() if method is Method.LIFO else DearestFirst()
