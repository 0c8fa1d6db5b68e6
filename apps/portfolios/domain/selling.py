"""What selling would come to, method by method, from the lots that are open: no posting, exact to the last digit.

Every method starts from the same lots: a switch of method carries them over. An average is that of all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from apps.portfolios.domain.booking.basis import new_lots
from apps.portfolios.domain.booking.lots import Piece, Taken, rank_of
from apps.portfolios.domain.booking.records import OpenLot, Term, term_of
from apps.portfolios.domain.booking.scaled import half_even
from apps.portfolios.domain.booking.section104 import london_day
from apps.portfolios.domain.policy import Fees, Method, Policy, Scope

_DAY_US: Final = 86_400_000_000


class SaleNote(StrEnum):
    """What a reader has to know of a figure."""

    POOL = "pool"
    LATER_PURCHASES = "later_purchases"
    SUPERFICIAL_LOSS = "superficial_loss"
    FROM_THE_START = "from_the_start"


@dataclass(frozen=True, slots=True)
class Sale:
    """What would be sold: how much, for how much, with which fee, and when; amounts scaled."""

    amount: int
    proceeds: int
    fee: int
    at_us: int
    account: str | None = None


@dataclass(frozen=True, slots=True)
class UsedLot:
    """A lot, or the part of one, that a sale would use; `days_left` until it is long, 0 when it is."""

    lot: str
    account: str | None
    amount: int
    cost: int
    at_us: int
    term: Term
    days_left: int


@dataclass(frozen=True, slots=True)
class SaleOutcome:
    """What one method makes of a sale; without terms where units have lost their dates."""

    method: Method
    is_own: bool
    proceeds: int
    cost: int
    gain: int
    short: int | None
    long: int | None
    lots: tuple[UsedLot, ...]
    notes: tuple[SaleNote, ...]

    @property
    def days_left(self) -> int | None:
        """Return after how many days all that is used would be long, nothing where there are no dates."""
        return max((lot.days_left for lot in self.lots), default=None)


def sellable(lots: Iterable[OpenLot], *, asset: str, policy: Policy, account: str | None) -> list[OpenLot]:
    """Return the open lots that a sale of the asset could use, in the scope of the rules."""
    bucket = policy.bucket(asset)
    found = [lot for lot in lots if lot.asset == bucket and lot.amount]
    if policy.scope is Scope.UNIVERSAL:
        return found
    return [lot for lot in found if lot.account == account]


def methods_in(scope: Scope) -> list[Method]:
    """Return the methods that go with a scope."""
    return [method for method in Method if method is not Method.UK_S104 or scope is Scope.UNIVERSAL]


def is_pool(lots: Iterable[OpenLot]) -> bool:
    """Tell whether units have lost their dates, so that no method can choose among them."""
    return any(lot.at_us is None for lot in lots)


def simulate(lots: Sequence[OpenLot], *, sale: Sale, method: Method, policy: Policy) -> SaleOutcome:
    """Return what a method makes of selling from these lots, which hold at least as much."""
    pooled = method in {Method.ACB, Method.UK_S104}
    proceeds = sale.proceeds - sale.fee if policy.fees is Fees.BASIS else sale.proceeds
    is_own = method is policy.method
    if pooled:
        cost = _pool_cost(lots, sale, method)
        gain = proceeds - cost
        return SaleOutcome(
            method,
            is_own,
            proceeds,
            cost,
            gain,
            None,
            None,
            (),
            tuple(_pool_notes(method, gain, policy, is_own=is_own)),
        )
    taken = _taken(lots, sale.amount, method)
    gain = proceeds - taken.cost
    short, long = _by_term(taken, sale, proceeds, gain, policy)
    used = tuple(_used(piece, sale, policy) for piece in taken.pieces)
    return SaleOutcome(method, is_own, proceeds, taken.cost, gain, short, long, used, ())


def _taken(lots: Sequence[OpenLot], amount: int, method: Method) -> Taken:
    """Take the amount as the engine would: the same lots, the same rounding."""
    open_lots = new_lots(method)
    for place, lot in enumerate(lots):
        rank = rank_of(lot.cost, lot.amount)
        open_lots.add(Piece(lot.lot or "", lot.amount, lot.cost, lot.at_us or 0, lot.seq or place, rank))
    return open_lots.take(amount)


def _by_term(taken: Taken, sale: Sale, proceeds: int, gain: int, policy: Policy) -> tuple[int, int]:
    long_us = policy.long_days * _DAY_US
    term, long_amount, long_cost = term_of(taken.pieces, at_us=sale.at_us, long_us=long_us, missing=0)
    if term is Term.SHORT:
        return gain, 0
    if term is Term.LONG:
        return 0, gain
    long = half_even(proceeds * long_amount, sale.amount) - long_cost
    return gain - long, long


def _used(piece: Piece, sale: Sale, policy: Policy) -> UsedLot:
    held_us = sale.at_us - piece.at_us
    missing_us = policy.long_days * _DAY_US - held_us
    term = Term.LONG if missing_us <= 0 else Term.SHORT
    days_left = max(0, -(-missing_us // _DAY_US))
    return UsedLot(piece.lot, sale.account, piece.amount, piece.cost, piece.at_us, term, days_left)


def _pool_cost(lots: Sequence[OpenLot], sale: Sale, method: Method) -> int:
    """Return what the units cost: of section 104 first those bought on the same day, then the average of the rest."""
    same_day = [lot for lot in lots if method is Method.UK_S104 and _is_same_day(lot, sale)]
    rest = [lot for lot in lots if lot not in same_day]
    cost, left = _share(same_day, sale.amount)
    return cost + _share(rest, left)[0]


def _share(lots: Sequence[OpenLot], amount: int) -> tuple[int, int]:
    """Return what so many units of these cost at their average, and how many units are left to find."""
    there, worth = sum(lot.amount for lot in lots), sum(lot.cost for lot in lots)
    found = min(there, amount)
    if not found:
        return 0, amount
    return (worth if found == there else half_even(worth * found, there)), amount - found


def _is_same_day(lot: OpenLot, sale: Sale) -> bool:
    return lot.at_us is not None and london_day(lot.at_us) == london_day(sale.at_us)


def _pool_notes(method: Method, gain: int, policy: Policy, *, is_own: bool) -> Iterable[SaleNote]:
    yield SaleNote.POOL
    if method is Method.UK_S104:
        yield SaleNote.LATER_PURCHASES
    elif is_own and gain < 0 and policy.superficial_window_days is not None:
        yield SaleNote.SUPERFICIAL_LOSS
