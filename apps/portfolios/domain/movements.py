"""What an entry takes from and adds to the accounts it names: the plain sums that holdings are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from apps.portfolios.domain.drafts import OUTSIDE
from apps.portfolios.domain.transactions import Entry, EntryType

_DIGITS: Final = 200
_ADDS: Final = frozenset({EntryType.BUY, EntryType.INCOME, EntryType.POOL_OPENING})
_TAKES: Final = frozenset({EntryType.SELL, EntryType.SPEND, EntryType.FEE})


class Movement(NamedTuple):
    """So much of an asset comes into an account, or leaves it."""

    account: str
    asset: str
    amount: Decimal
    is_fee: bool = False


def movements(entry: Entry, *, money: str) -> Iterator[Movement]:
    """Yield what the entry moves; money of account is not held, and a split moves nothing."""
    asset, amount = entry.asset or "", entry.amount or Decimal(0)
    if entry.type in _ADDS:
        yield Movement(entry.account, asset, amount)
    elif entry.type in _TAKES:
        yield Movement(entry.account, asset, amount.copy_negate())
    elif entry.type is EntryType.TRADE:
        yield Movement(entry.account, entry.out_asset or "", (entry.out_amount or Decimal(0)).copy_negate())
        yield Movement(entry.account, entry.in_asset or "", entry.in_amount or Decimal(0))
    elif entry.type is EntryType.TRANSFER:
        yield Movement(entry.from_account or "", asset, amount.copy_negate())
        yield Movement(entry.to_account or "", asset, amount if entry.received is None else entry.received)
    if entry.fee and entry.fee_asset not in {None, money}:
        payer = entry.from_account if entry.type is EntryType.TRANSFER else entry.account
        yield Movement(payer or "", entry.fee_asset or "", entry.fee.copy_negate(), is_fee=True)


def effect(entries: Iterable[Entry], *, money: str) -> dict[str, Decimal]:
    """Return what the entries add to each asset in one's own accounts, or take from it; zero is left out."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    with localcontext() as context:
        context.prec = _DIGITS
        for entry in entries:
            for movement in movements(entry, money=money):
                if movement.account != OUTSIDE:
                    sums[movement.asset] += movement.amount
    return {asset: amount for asset, amount in sorted(sums.items()) if amount}
