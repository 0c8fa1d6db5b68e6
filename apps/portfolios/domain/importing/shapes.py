"""The few shapes that every line of every export comes down to, as drafts.

Section 6 of the contract has no deposit and no withdrawal: coins that come from outside or go there are a `transfer`
whose other side is `outside`, with hash and address kept so that it can be matched with its counterpart. Money of the
portfolio buys and sells; any other pair is a `trade`. A value that the file does not tell stays empty and is looked up.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, NamedTuple

from apps.core.money import divide, multiply
from apps.portfolios.domain.drafts import LONGEST_ADDRESS, LONGEST_HASH, LONGEST_NOTE, OUTSIDE, EntryDraft
from apps.portfolios.domain.importing.numbers import exact_sum
from apps.portfolios.domain.importing.problems import LineError, quoted
from apps.portfolios.domain.importing.reading import FIAT, STABLE, Reading
from apps.portfolios.domain.transactions import EntryType

Worth = Decimal | None
#: Whoever gives a coin for one of these sells; the fee then lowers the proceeds.
_MONEY: Final = FIAT.union(*STABLE.values(), {"DAI"})


class Leg(NamedTuple):
    """An amount of one asset; always above zero."""

    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when an entry happened, and how its source calls it."""

    at_us: int
    external_id: str | None
    account: str
    note: str = ""
    tx_hash: str = ""
    address: str = ""


def beside(origin: Origin, suffix: str) -> Origin:
    """Return the origin of a further entry of the same line."""
    external_id = None if origin.external_id is None else f"{origin.external_id}:{suffix}"
    return replace(origin, external_id=external_id)


def plus(leg: Leg, amount: Decimal) -> Leg:
    """Return a leg with an amount added exactly."""
    return Leg(leg.asset, exact_sum((leg.amount, amount)))


def sides(word: str, coin: Leg, money: Leg, *, field: str) -> tuple[Leg, Leg]:
    """Return what is given and what is received by a side of a trade, or raise `LineError`."""
    side = word.lower()
    if side == "buy":
        return money, coin
    if side == "sell":
        return coin, money
    raise LineError("kind_unknown", f"{quoted(word)} is neither buy nor sell.", field=field)


def exchanged(
    reading: Reading,
    origin: Origin,
    out: Leg,
    received: Leg,
    fees: tuple[Leg, ...] = (),
    value: Decimal | None = None,
) -> list[EntryDraft]:
    """Return one asset given for another, with its fees: the first belongs to the trade, others stand alone."""
    if out.asset == received.asset:
        raise LineError("same_asset", f"{out.asset} cannot be traded for itself.")
    _above_zero(out, received)
    fees = tuple(fee for fee in fees if fee.amount)
    _above_zero(*fees)
    worth = _worth(reading, out, received) if value is None else value
    main = fees[0] if fees else None
    fee_value = _fee_value(reading, main, out, received, worth)
    if out.asset == reading.currency:
        draft = _plain(reading, origin, EntryType.BUY, received, worth, main, fee_value)
    elif received.asset == reading.currency:
        draft = _plain(reading, origin, EntryType.SELL, out, worth, main, fee_value)
    else:
        draft = _trade(reading, origin, out, received, worth, main, fee_value)
    others = [charged(reading, beside(origin, f"fee{place}"), fee) for place, fee in enumerate(fees[1:], start=2)]
    return [draft, *others]


def bought(reading: Reading, origin: Origin, leg: Leg) -> EntryDraft:
    """Return a purchase with money that the file does not show; its value is looked up."""
    _above_zero(leg)
    return _plain(reading, origin, EntryType.BUY, leg, _alone(reading, leg), None, None)


def sold(reading: Reading, origin: Origin, leg: Leg) -> EntryDraft:
    """Return a sale for money that the file does not show; its value is looked up."""
    _above_zero(leg)
    return _plain(reading, origin, EntryType.SELL, leg, _alone(reading, leg), None, None)


def earned(reading: Reading, origin: Origin, leg: Leg, kind: str, value: Decimal | None = None) -> list[EntryDraft]:
    """Return income of a kind; nothing for an amount of zero."""
    if leg.amount < 0:
        raise LineError("sign_unexpected", f"{kind.capitalize()} takes {leg.asset} away here. Enter it by hand.")
    if not leg.amount:
        return []
    worth = _alone(reading, leg) if value is None else value
    return [_draft(reading, origin, EntryType.INCOME, asset=leg.asset, amount=leg.amount, value=worth, kind=kind)]


def spent(reading: Reading, origin: Origin, leg: Leg, value: Decimal | None = None) -> EntryDraft:
    """Return a payment, gift or loss: coins that leave for good."""
    _above_zero(leg)
    worth = _alone(reading, leg) if value is None else value
    return _draft(reading, origin, EntryType.SPEND, asset=leg.asset, amount=leg.amount, value=worth)


def charged(reading: Reading, origin: Origin, leg: Leg, value: Decimal | None = None) -> EntryDraft:
    """Return a fee that belongs to no trade."""
    _above_zero(leg)
    worth = _alone(reading, leg) if value is None else value
    return _draft(reading, origin, EntryType.FEE, asset=leg.asset, amount=leg.amount, value=worth)


def arrived(reading: Reading, origin: Origin, leg: Leg, sender: str = OUTSIDE) -> EntryDraft:
    """Return a deposit; foreign money that comes in was bought at the day's rate."""
    _above_zero(leg)
    if leg.asset in FIAT and leg.asset != reading.currency:
        return bought(reading, origin, leg)
    return _draft(
        reading, origin, EntryType.TRANSFER,
        asset=leg.asset, amount=leg.amount, from_account=sender, to_account=origin.account,
    )  # fmt: skip


def left(reading: Reading, origin: Origin, leg: Leg, fee: Decimal | None = None) -> EntryDraft:
    """Return a withdrawal; its fee is what was sent and did not arrive. Foreign money that goes is sold."""
    _above_zero(leg)
    if leg.asset in FIAT and leg.asset != reading.currency:
        return sold(reading, origin, plus(leg, fee or Decimal(0)))
    fee_value = _alone(reading, Leg(leg.asset, fee)) if fee else None
    return _draft(
        reading, origin, EntryType.TRANSFER,
        asset=leg.asset, amount=exact_sum((leg.amount, fee or Decimal(0))), received=leg.amount if fee else None,
        fee_value=fee_value, from_account=origin.account, to_account=OUTSIDE,
    )  # fmt: skip


def moved(reading: Reading, origin: Origin, leg: Leg, received: Decimal, target: str) -> EntryDraft:
    """Return a move from the origin's account to another own one."""
    _above_zero(leg)
    if received > leg.amount:
        raise LineError("received_too_much", "More arrived than was sent.")
    lost = exact_sum((leg.amount, received.copy_negate()))
    return _draft(
        reading, origin, EntryType.TRANSFER,
        asset=leg.asset, amount=leg.amount, received=received if lost else None,
        fee_value=_alone(reading, Leg(leg.asset, lost)) if lost else None,
        from_account=origin.account, to_account=target,
    )  # fmt: skip


def _trade(
    reading: Reading,
    origin: Origin,
    out: Leg,
    received: Leg,
    worth: Decimal | None,
    fee: Leg | None,
    fee_value: Decimal | None,
) -> EntryDraft:
    sells = received.asset in _MONEY and out.asset not in _MONEY
    return _draft(
        reading, origin, EntryType.TRADE,
        out_asset=out.asset, out_amount=out.amount, in_asset=received.asset, in_amount=received.amount, value=worth,
        fee=fee.amount if fee else None, fee_asset=fee.asset if fee else None, fee_value=fee_value,
        fee_on=("out" if sells else "in") if fee else None,
    )  # fmt: skip


def _plain(
    reading: Reading,
    origin: Origin,
    entry_type: EntryType,
    leg: Leg,
    worth: Decimal | None,
    fee: Leg | None,
    fee_value: Decimal | None,
) -> EntryDraft:
    return _draft(
        reading, origin, entry_type,
        asset=leg.asset, amount=leg.amount, value=worth,
        fee=fee.amount if fee else None, fee_asset=fee.asset if fee else None, fee_value=fee_value,
    )  # fmt: skip


def _draft(reading: Reading, origin: Origin, entry_type: EntryType, **shape: str | Decimal | None) -> EntryDraft:
    return EntryDraft(
        at_us=origin.at_us,
        type=entry_type,
        source=reading.source,
        account=origin.account,
        external_id=origin.external_id,
        sequence=reading.sequence,
        note=origin.note[:LONGEST_NOTE],
        tx_hash=origin.tx_hash[:LONGEST_HASH],
        address=origin.address[:LONGEST_ADDRESS],
        **shape,  # type: ignore[arg-type]
    )


def _above_zero(*legs: Leg) -> None:
    for leg in legs:
        if leg.amount <= 0:
            raise LineError("amount_not_positive", f"The amount of {leg.asset} must be above zero.", field="amount")


def _alone(reading: Reading, leg: Leg) -> Decimal | None:
    return leg.amount if reading.at_par(leg.asset) else None


def _worth(reading: Reading, out: Leg, received: Leg) -> Decimal | None:
    """Return what the file says a trade was worth: the leg that is money, or as good as."""
    for leg in (out, received):
        if leg.asset == reading.currency:
            return leg.amount
    for leg in (out, received):
        if reading.at_par(leg.asset):
            return leg.amount
    return None


def _fee_value(reading: Reading, fee: Leg | None, out: Leg, received: Leg, worth: Decimal | None) -> Decimal | None:
    """Return the value of a fee in a coin, from its own par or from the price of the trade it belongs to."""
    if fee is None or fee.asset == reading.currency:
        return None
    if reading.at_par(fee.asset):
        return fee.amount
    for leg in (out, received):
        if leg.asset == fee.asset and worth is not None:
            return divide(multiply(fee.amount, worth), leg.amount)
    return None
