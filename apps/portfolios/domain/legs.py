"""What an entry does to each account and asset: how much moves, and how much money moves with it.

Money against which coins are bought is outside of what is held. So a purchase brings its price and its fee in, a sale
takes its proceeds less the fee out, coins from or to a place outside come and go at the day's price, and a coin traded
for another takes with it what it brings to the other. Income, fees in coins and what is lost on the way move no
money: they are what the coins did.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from apps.portfolios.domain.drafts import OUTSIDE
from apps.portfolios.domain.measures.arithmetic import WIDE
from apps.portfolios.domain.transactions import Entry, EntryType

_ZERO: Final = Decimal(0)
#: The price of an asset on the day of the entry, if it is known.
PriceOf: TypeAlias = Callable[[str], Decimal | None]


@dataclass(frozen=True, slots=True)
class Leg:
    """So much of an asset comes, or leaves where below zero, and money: `fixed`, and `counted` at the day's price."""

    account: str
    asset: str
    quantity: Decimal
    fixed: Decimal = _ZERO
    counted: Decimal = _ZERO


def legs(entry: Entry, *, money: str, price_of: PriceOf) -> list[Leg]:
    """Return the legs of an entry, worked out in the caller's decimal context; a split has none, it multiplies."""
    found = [leg for leg in _main(entry, _fee_in_money(entry, money), price_of) if leg.account != OUTSIDE]
    if entry.fee and _is_coin(entry.fee_asset, entry, money):
        payer = entry.from_account if entry.type is EntryType.TRANSFER else entry.account
        found.append(Leg(payer or "", entry.fee_asset or "", entry.fee.copy_negate()))
    return found


def stated_value(entry: Entry) -> Decimal | None:
    """Return the worth that the entry itself tells."""
    if entry.value is not None:
        return entry.value
    return WIDE.multiply(entry.amount, entry.price) if entry.amount is not None and entry.price is not None else None


def fees_paid(entry: Entry, *, money: str, price_of: PriceOf) -> Decimal:
    """Return the worth of all fees of an entry, whatever they were paid in."""
    if entry.type is EntryType.FEE:
        known = stated_value(entry)
        return known if known is not None else _at_price(entry.asset, entry.amount, price_of)
    lost = _ZERO
    if entry.type is EntryType.TRANSFER and entry.from_account != OUTSIDE and entry.received is not None:
        lost = (entry.amount or _ZERO) - entry.received
    if entry.fee_value is not None and (lost or entry.fee):
        return entry.fee_value
    in_coin = _is_coin(entry.fee_asset, entry, money)
    fee = _at_price(entry.fee_asset, entry.fee, price_of) if in_coin else _fee_in_money(entry, money)
    return fee + _at_price(entry.asset, lost, price_of)


def _is_coin(asset: str | None, entry: Entry, money: str) -> bool:
    """Tell whether a fee is paid in something that is held; money that values are told in is not."""
    return asset not in {None, money, entry.quote}


def _fee_in_money(entry: Entry, money: str) -> Decimal:
    """Return a fee that is paid in money; of one in a foreign money its worth."""
    if _is_coin(entry.fee_asset, entry, money):
        return _ZERO
    foreign = entry.quote not in {None, money} and entry.fee_asset != money
    return (entry.fee_value if foreign else entry.fee) or _ZERO


def _main(entry: Entry, fee: Decimal, price_of: PriceOf) -> Iterator[Leg]:
    asset, amount, value = entry.asset or "", entry.amount or _ZERO, stated_value(entry)
    match entry.type:
        case EntryType.BUY | EntryType.POOL_OPENING:
            # What an opening pool once cost is not what it brings in: that is its worth on the day.
            known = value if entry.type is EntryType.BUY else None
            yield Leg(entry.account, asset, amount, fee + (known or _ZERO), amount if known is None else _ZERO)
        case EntryType.SELL | EntryType.SPEND:
            yield Leg(entry.account, asset, -amount, fee - (value or _ZERO), -amount if value is None else _ZERO)
        case EntryType.INCOME | EntryType.FEE:
            yield Leg(entry.account, asset, amount if entry.type is EntryType.INCOME else -amount)
        case EntryType.TRADE:
            yield from _traded(entry, fee, price_of)
        case EntryType.TRANSFER:
            arrived = amount if entry.received is None else entry.received
            yield Leg(entry.from_account or "", asset, -amount, fee, -arrived)
            yield Leg(entry.to_account or "", asset, arrived, _ZERO, arrived)
        case EntryType.RETURN_OF_CAPITAL:
            yield Leg(entry.account, asset, _ZERO, -(value or _ZERO))


def _traded(entry: Entry, fee: Decimal, price_of: PriceOf) -> Iterator[Leg]:
    out_asset, in_asset = entry.out_asset or "", entry.in_asset or ""
    out_amount, in_amount = entry.out_amount or _ZERO, entry.in_amount or _ZERO
    value = entry.value
    if value is None:
        value = _at_price(out_asset, out_amount, price_of) or _at_price(in_asset, in_amount, price_of)
    on_out = entry.fee_on == "out"
    yield Leg(entry.account, out_asset, -out_amount, (fee if on_out else _ZERO) - value)
    yield Leg(entry.account, in_asset, in_amount, value + (_ZERO if on_out else fee))


def _at_price(asset: str | None, amount: Decimal | None, price_of: PriceOf) -> Decimal:
    if asset is None or not amount:
        return _ZERO
    price = price_of(asset)
    return _ZERO if price is None else WIDE.multiply(amount, price)
