"""What the readers of all venues share: a row in, drafts out, and a problem where a row makes no sense.

The drafts come from the same few shapes as those of imported files, so that a file and the venue tell one story.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from apps.core.money import AmountError, parse_amount
from apps.exchanges.domain.reading import VenueRow
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.numbers import exact_sum
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.reading import Reading, asset_named
from apps.portfolios.domain.importing.shapes import Leg, Origin
from apps.portfolios.domain.transactions import EntryType

_LARGEST_SEQUENCE: Final = 2**63 - 1
Payload = Mapping[str, Any]


@dataclass(slots=True)
class Desk:
    """Where the rows of one normalization are read: for which account, money and names of coins."""

    reading: Reading
    names: Mapping[str, str]

    def coin(self, code: str) -> str:
        """Return what we call a venue's coin, or raise `LineError`."""
        return asset_named(self.names.get(code, code), field_name="asset")

    def leg(self, code: str, amount: Decimal) -> Leg:
        """Return an amount of a venue's coin."""
        return Leg(self.coin(code), amount)

    def origin(self, row: VenueRow, *, note: str = "", tx_hash: str = "", address: str = "") -> Origin:
        """Return where a row's entry comes from; entries of one moment are ordered by the venue's numbers."""
        number = row.external_id
        self.reading.number_of_line = int(number) if _is_number(number) else 0
        return Origin(row.at_ms * 1000, number, self.reading.account, note=note, tx_hash=tx_hash, address=address)


Reader = Callable[[Desk, VenueRow], list[EntryDraft]]


def word(payload: Payload, *names: str) -> str:
    """Return the first of these fields that is filled, as text; an empty text where none is."""
    for name in names:
        value = payload.get(name)
        if value not in {None, "", False} and not isinstance(value, dict | list):
            return str(value).strip()
    return ""


def needed(payload: Payload, *names: str) -> str:
    """Return the first of these fields that is filled, or raise `LineError`."""
    found = word(payload, *names)
    if not found:
        raise LineError("field_missing", f"The exchange did not tell {names[0]}.", field=names[0])
    return found


def number(payload: Payload, *names: str) -> Decimal:
    """Return an exact number, or raise `LineError`."""
    text = needed_zero(payload, *names)
    try:
        return parse_amount(text)
    except AmountError as error:
        raise LineError(error.code, error.message, field=names[0]) from error


def needed_zero(payload: Payload, *names: str) -> str:
    """Return the first of these fields that is told at all, zero included, or raise `LineError`."""
    for name in names:
        value = payload.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    raise LineError("field_missing", f"The exchange did not tell {names[0]}.", field=names[0])


def optional(payload: Payload, *names: str) -> Decimal:
    """Return an exact number, zero where the venue tells none."""
    if all(payload.get(name) in {None, ""} for name in names):
        return Decimal(0)
    return number(payload, *names)


def traded(desk: Desk, origin: Origin, *, buys: bool, base: Leg, quote: Leg, fee: Leg | None) -> list[EntryDraft]:
    """Return a fill. A fee below zero is a rebate: the venue pays for the order, which is income of its own."""
    out, received = (quote, base) if buys else (base, quote)
    fees = (fee,) if fee is not None and fee.amount > 0 else ()
    drafts = with_money(desk, shapes.exchanged(desk.reading, origin, out, received, fees))
    if fee is not None and fee.amount < 0:
        rebate = Leg(fee.asset, fee.amount.copy_negate())
        drafts += shapes.earned(desk.reading, shapes.beside(origin, "rebate"), rebate, "reward")
    return drafts


def with_money(desk: Desk, drafts: Iterable[EntryDraft]) -> list[EntryDraft]:
    """Return entries with the move of the portfolio's own money that each of them makes in the account.

    A purchase is entered against money, which the ledger does not hold by itself. At a venue money does lie in the
    account: what was paid leaves it, and what was earned comes in, as a transfer without gain or loss.
    """
    return [one for draft in drafts for one in (draft, *_money_of(desk, draft))]


def _money_of(desk: Desk, draft: EntryDraft) -> list[EntryDraft]:
    money, minus = desk.reading.currency, Decimal.copy_negate
    paid = draft.value if draft.type is EntryType.BUY and draft.value is not None else Decimal(0)
    got = draft.value if draft.type is EntryType.SELL and draft.value is not None else Decimal(0)
    fee = draft.fee if draft.fee is not None and draft.fee_asset in {None, money} else Decimal(0)
    change = exact_sum((got, minus(paid), minus(fee)))
    if not change:
        return []
    number = f"{draft.external_id}:money"
    origin = Origin(draft.at_us, number, desk.reading.account, note=draft.note)
    leg = Leg(money, change.copy_abs())
    return [(shapes.arrived if change > 0 else shapes.left)(desk.reading, origin, leg)]


def split(symbol: str) -> tuple[str, str]:
    """Return base and quote of BTC/USDT or BTC-USDT, or raise `LineError`."""
    for sign in ("/", "-"):
        base, found, quote = symbol.partition(sign)
        if found and base and quote:
            return base, quote
    raise LineError("pair_unknown", "The exchange did not tell which two coins this pair is.", field="symbol")


def unknown(told: str) -> LineError:
    """Return the refusal of a kind that nobody has explained to us."""
    return LineError("kind_unknown", f"The exchange calls this {told!r}, which we do not know yet.", field="type")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) <= _LARGEST_SEQUENCE
