"""Open lots in the order in which they leave: oldest, newest or dearest first."""

from bisect import insort
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple, Protocol

from apps.portfolios.domain.booking.scaled import SCALE, half_even, product
from apps.portfolios.domain.booking.tuples import made

_RANK_BITS: Final = 512
_SPARE_BITS: Final = 32
_COMPACT_FROM: Final = 1024
_BY_ARRIVAL: Final = itemgetter(2)
_BY_AGE: Final = attrgetter("at_us", "seq")


class Piece:
    """A lot, or a part of one: open while it lies in a set of lots, gone when it was taken out.

    `rank` is the unit cost as the order of HIFO sees it.
    """

    __slots__ = ("amount", "at_us", "cost", "lot", "rank", "seq")

    def __init__(self, lot: str, amount: int, cost: int, at_us: int, seq: int, rank: int) -> None:
        self.lot = lot
        self.amount = amount
        self.cost = cost
        self.at_us = at_us
        self.seq = seq
        self.rank = rank

    def part(self, amount: int) -> "Piece":
        """Split off less than all that is left, with its share of the cost."""
        cost = half_even(self.cost * amount, self.amount)
        self.amount -= amount
        self.cost -= cost
        return Piece(self.lot, amount, cost, self.at_us, self.seq, self.rank)


class Taken(NamedTuple):
    """What was given out: whole or partial lots, none from a pool, and their sums."""

    pieces: list[Piece]
    found: int
    cost: int


class Lots(Protocol):
    """Open lots of one asset, in one account or in all."""

    def add(self, piece: Piece) -> None:
        """Put a lot in, whatever its age."""

    def take(self, amount: int) -> Taken:
        """Take the amount out as far as there is any, in the order of the method."""

    def open(self) -> Iterator[Piece]:
        """Go through what is left, in no particular order."""

    def in_order(self) -> Iterator[Piece]:
        """Go through what is left; put in anew in this order, it leaves in the same."""

    def reordered(self) -> None:
        """Put the lots in order again after their ranks changed."""


class OldestFirst:
    """FIFO: by date of acquisition, the earlier given first."""

    __slots__ = ("_head", "_lots")

    def __init__(self) -> None:
        self._lots: list[Piece] = []
        self._head = 0

    def add(self, piece: Piece) -> None:
        """Put a lot in; one that travelled may be older than what is there."""
        lots = self._lots
        if not lots or lots[-1].at_us < piece.at_us:
            lots.append(piece)
        else:
            insert_by_age(lots, piece, low=self._head)

    def take(self, amount: int) -> Taken:
        """Take from the oldest on."""
        lots, head, left, cost = self._lots, self._head, amount, 0
        pieces: list[Piece] = []
        while left and head < len(lots):
            lot = lots[head]
            there = lot.amount
            if there > left:
                lot, there = lot.part(left), left
            else:
                head += 1
            pieces.append(lot)
            left -= there
            cost += lot.cost
        if head >= _COMPACT_FROM and head * 2 > len(lots):
            del lots[:head]
            head = 0
        self._head = head
        return made(Taken, (pieces, amount - left, cost))

    def open(self) -> Iterator[Piece]:
        """Go through what is left."""
        return (self._lots[index] for index in range(self._head, len(self._lots)))

    def in_order(self) -> Iterator[Piece]:
        """Go through what is left, which lies in order."""
        return self.open()

    def reordered(self) -> None:
        """Do nothing: rank has no say in the order."""


class NewestFirst:
    """LIFO: by date of acquisition from the end, the later given first."""

    __slots__ = ("_lots",)

    def __init__(self) -> None:
        self._lots: list[Piece] = []

    def add(self, piece: Piece) -> None:
        """Put a lot in; one that travelled may be older than what is there."""
        lots = self._lots
        if not lots or lots[-1].at_us < piece.at_us:
            lots.append(piece)
        else:
            insert_by_age(lots, piece, low=0)

    def take(self, amount: int) -> Taken:
        """Take from the newest on."""
        lots, left, cost = self._lots, amount, 0
        pieces: list[Piece] = []
        while left and lots:
            lot = lots[-1]
            there = lot.amount
            if there > left:
                lot, there = lot.part(left), left
            else:
                lots.pop()
            pieces.append(lot)
            left -= there
            cost += lot.cost
        return made(Taken, (pieces, amount - left, cost))

    def open(self) -> Iterator[Piece]:
        """Go through what is left."""
        return iter(self._lots)

    def in_order(self) -> Iterator[Piece]:
        """Go through what is left, which lies in order."""
        return self.open()

    def reordered(self) -> None:
        """Do nothing: rank has no say in the order."""


class DearestFirst:
    """HIFO: by unit cost at acquisition, the earlier given first."""

    __slots__ = ("_count", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Piece]] = []
        self._count = 0

    def add(self, piece: Piece) -> None:
        """Put a lot in at its rank."""
        self._count += 1
        heappush(self._heap, (_order(piece.rank), piece.seq, self._count, piece))

    def take(self, amount: int) -> Taken:
        """Take from the dearest on."""
        heap, left, cost = self._heap, amount, 0
        pieces: list[Piece] = []
        while left and heap:
            lot = heap[0][-1]
            there = lot.amount
            if there > left:
                lot, there = lot.part(left), left
            else:
                heappop(heap)
            pieces.append(lot)
            left -= there
            cost += lot.cost
        return made(Taken, (pieces, amount - left, cost))

    def open(self) -> Iterator[Piece]:
        """Go through what is left."""
        return (entry[-1] for entry in self._heap)

    def in_order(self) -> Iterator[Piece]:
        """Go through what is left as it came: among equals the first one in leaves first."""
        return (entry[-1] for entry in sorted(self._heap, key=_BY_ARRIVAL))

    def reordered(self) -> None:
        """Order by the ranks that the lots have now."""
        self._heap = [(_order(lot.rank), seq, count, lot) for _, seq, count, lot in self._heap]
        heapify(self._heap)


def insert_by_age(lots: list[Piece], lot: Piece, *, low: int) -> None:
    """Keep the list in order of acquisition; the newest goes to the end without a search."""
    last = lots[-1] if len(lots) > low else lot
    if last.at_us < lot.at_us or (last.at_us == lot.at_us and last.seq <= lot.seq):
        lots.append(lot)
    else:
        insort(lots, lot, lo=low, key=_BY_AGE)


def rank_of(cost: int, amount: int) -> int:
    """Return a whole number that orders unit costs exactly: distinct quotients differ in it."""
    return (cost << _RANK_BITS) // amount if amount else 0


def redenominate(lots: Lots, ratio: int) -> int:
    """Multiply every open lot by the scaled ratio; return what there is afterwards."""
    total = 0
    for lot in lots.open():
        lot.amount = product(lot.amount, ratio)
        lot.rank = lot.rank * SCALE // ratio
        total += lot.amount
    lots.reordered()
    return total


def lower_cost(lots: Lots, value: int, *, by_cost: bool) -> list[tuple[Piece, int]]:
    """Spread the value over the lots by amount; return the lots it exceeds the cost of, with the excess.

    `by_cost` says that lots are ranked by what they cost, and not by the price alone.
    """
    spread = sorted(lots.open(), key=_BY_AGE)
    total = sum(lot.amount for lot in spread)
    left, beyond = value, []
    for lot in spread:
        portion = left if lot is spread[-1] else min(left, half_even(value * lot.amount, total or 1))
        left -= portion
        lowered = min(portion, lot.cost)
        lot.cost -= lowered
        if by_cost:
            lot.rank = max(0, lot.rank - rank_of(portion, lot.amount)) if lot.cost else 0
        if portion > lowered:
            beyond.append((Piece(lot.lot, 0, 0, lot.at_us, lot.seq, lot.rank), portion - lowered))
    lots.reordered()
    return beyond


def _order(rank: int) -> int:
    """Return the rank as a heap wants it; the last bits, blurred by splits, do not count."""
    return -((rank + (1 << _SPARE_BITS - 1)) >> _SPARE_BITS)
