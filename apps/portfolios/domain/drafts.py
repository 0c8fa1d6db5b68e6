"""What any source hands in: an entry of section 6 of the contract without our id, and where it is from.

A coin that comes from outside, or goes there, is a transfer whose other side is `OUTSIDE`: no account of the portfolio,
but a place where coins wait until the transfer is matched. A value that the source does not tell stays None; it is
found in the prices of that moment.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from apps.portfolios.domain.names import UnfitNameError, code_of, id_of, name_of, remark_of
from apps.portfolios.domain.transactions import (
    DEFAULT_ACCOUNT,
    Entry,
    EntryError,
    EntryType,
    JsonNumber,
    microseconds,
    moment_text,
    parse_entry,
)

OUTSIDE: Final = "outside"

LONGEST_ASSET: Final = 64
LONGEST_ACCOUNT: Final = 80
LONGEST_KIND: Final = 32
LONGEST_EXTERNAL_ID: Final = 200
LONGEST_NOTE: Final = 500
LONGEST_HASH: Final = 120
LONGEST_ADDRESS: Final = 200
#: The day of Bitcoin's first block: no coin is older, so an earlier time is a slip or an empty cell.
FIRST_COIN: Final = datetime(2009, 1, 3, tzinfo=UTC)
_FIRST_US: Final = microseconds(FIRST_COIN)
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
_LARGEST_SEQUENCE: Final = 2**63 - 1
_PLACEHOLDER: Final = "draft"

#: The exact numbers and the names that an entry may have, as section 6 calls them.
AMOUNTS: Final = ("amount", "price", "value", "fee", "fee_value", "out_amount", "in_amount", "received", "ratio")
NAMES: Final = ("asset", "fee_asset", "fee_on", "out_asset", "in_asset", "kind", "quote")
ACCOUNTS: Final = ("from_account", "to_account")
#: What an entry does not know, but the ledger keeps beside it.
REMARKS: Final = ("note", "tx_hash", "address")

_LENGTHS: Final = {
    "asset": LONGEST_ASSET,
    "fee_asset": LONGEST_ASSET,
    "out_asset": LONGEST_ASSET,
    "in_asset": LONGEST_ASSET,
    "quote": LONGEST_ASSET,
    "account": LONGEST_ACCOUNT,
    "from_account": LONGEST_ACCOUNT,
    "to_account": LONGEST_ACCOUNT,
    "kind": LONGEST_KIND,
    "external_id": LONGEST_EXTERNAL_ID,
    "note": LONGEST_NOTE,
    "tx_hash": LONGEST_HASH,
    "address": LONGEST_ADDRESS,
}
#: The one spelling of each text that an entry holds.
_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    **dict.fromkeys(("asset", "fee_asset", "out_asset", "in_asset", "quote"), code_of),
    **dict.fromkeys(("account", *ACCOUNTS, "kind"), name_of),
    **dict.fromkeys(("external_id", "tx_hash", "address"), id_of),
    "note": remark_of,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """One entry as its source tells it; `external_id` is the source's own, and posts once per account."""

    at_us: int
    type: EntryType
    source: str
    account: str = DEFAULT_ACCOUNT
    asset: str | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    value: Decimal | None = None
    fee: Decimal | None = None
    fee_asset: str | None = None
    fee_value: Decimal | None = None
    fee_on: str | None = None
    out_asset: str | None = None
    out_amount: Decimal | None = None
    in_asset: str | None = None
    in_amount: Decimal | None = None
    kind: str | None = None
    received: Decimal | None = None
    from_account: str | None = None
    to_account: str | None = None
    ratio: Decimal | None = None
    quote: str | None = None
    external_id: str | None = None
    sequence: int = 0
    note: str = ""
    tx_hash: str = ""
    address: str = ""

    @property
    def sides(self) -> tuple[str, str]:
        """Return from where to where a transfer goes."""
        return self.from_account or self.account, self.to_account or self.account

    @property
    def record_of(self) -> str:
        """Return the account whose record this is: that of a transfer is the sender's, unless it is from outside."""
        if self.type is not EntryType.TRANSFER:
            return self.account
        sender, receiver = self.sides
        return receiver if sender == OUTSIDE else sender


def draft_of(raw: object, *, source: str, index: int = 0) -> EntryDraft:
    """Return the draft that a mapping in the portable format spells, or raise `EntryError`.

    Its id becomes the external one, unless it names an external id besides.
    """
    if not isinstance(raw, Mapping):
        raise EntryError(code="not_an_object", message="A transaction is an object of named fields.", index=index)
    given_id = None if raw.get("id") == "" else raw.get("id")
    told_id = {"id": _PLACEHOLDER if given_id is None else given_id}
    entry = parse_entry({**raw, **_trimmed(raw), **told_id}, index=index)
    external = _text(raw, "external_id") or (None if given_id is None else entry.id)
    told: dict[str, Any] = {name: _text(raw, name) for name in REMARKS}
    told |= {name: getattr(entry, name) for name in (*AMOUNTS, *NAMES, *ACCOUNTS)}
    draft = EntryDraft(
        at_us=entry.at_us,
        type=entry.type,
        source=source,
        account=entry.account,
        external_id=external,
        sequence=_sequence(raw),
        **told,
    )
    spelled = _spelled(draft, index)
    _check_beside(spelled, index)
    return spelled


def checked_draft(draft: EntryDraft, *, index: int = 0) -> EntryDraft:
    """Return the draft, its names in their one spelling, if the ledger can keep it, or raise `EntryError`."""
    draft = _spelled(draft, index)
    if draft.external_id == "":
        draft = replace(draft, external_id=None)
    entry_of(draft, index=index)
    _check_beside(draft, index)
    return draft


def _check_beside(draft: EntryDraft, index: int) -> None:
    """Refuse what an entry may say, and the ledger cannot keep."""
    if not -_LARGEST_SEQUENCE <= draft.sequence <= _LARGEST_SEQUENCE:
        message = "sequence is a whole number of at most 64 bits."
        raise EntryError(code="field_invalid", message=message, field="sequence", index=index)
    sender, receiver = draft.sides
    if draft.type is EntryType.TRANSFER and sender == receiver:
        message = "A transfer goes from one account to another."
        raise EntryError(code="same_account", message=message, field="to_account", index=index)
    if draft.type is not EntryType.TRANSFER and draft.account == OUTSIDE:
        message = f"{OUTSIDE} is the place that transfers come from and go to; choose one of your accounts."
        raise EntryError(code="account_reserved", message=message, field="account", index=index)
    if draft.at_us < _FIRST_US:
        message = f"No coin is older than {FIRST_COIN.date()}. Look at the year; a number counts milliseconds."
        raise EntryError(code="ts_too_early", message=message, field="ts", index=index)


def _spelled(draft: EntryDraft, index: int) -> EntryDraft:
    """Return the draft with every text in its one spelling, none of them too long."""
    changed: dict[str, Any] = {}
    for name, spelled in _SPELLINGS.items():
        text: str | None = getattr(draft, name)
        if not text:
            continue
        try:
            fresh = spelled(text)
        except UnfitNameError as error:
            message = f"{name} {error.message}"
            raise EntryError(code=error.code, message=message, field=name, index=index) from error
        if len(fresh) > _LENGTHS[name]:
            message = f"{name} has at most {_LENGTHS[name]} characters."
            raise EntryError(code="text_too_long", message=message, field=name, index=index)
        if fresh != text:
            changed[name] = fresh
    return replace(draft, **changed) if changed else draft


def entry_of(draft: EntryDraft, *, entry_id: str = _PLACEHOLDER, index: int = 0) -> Entry:
    """Return the entry that the draft will be, checked as every entry is."""
    raw: dict[str, object] = {name: getattr(draft, name) for name in (*AMOUNTS, *NAMES)}
    if draft.type is EntryType.TRANSFER:
        raw["from_account"], raw["to_account"] = draft.sides
    try:
        at = moment_text(draft.at_us)
    except OverflowError as error:
        message = "Give a time between the years 1 and 9999."
        raise EntryError(code="ts_invalid", message=message, field="ts", index=index) from error
    return parse_entry({**raw, "id": entry_id, "ts": at, "type": draft.type, "account": draft.account}, index=index)


def as_entry(draft: EntryDraft) -> Entry:
    """Return a draft that was checked before as an entry."""
    told: dict[str, Any] = {name: getattr(draft, name) for name in (*AMOUNTS, *NAMES)}
    if draft.type is EntryType.TRANSFER:
        told["from_account"], told["to_account"] = draft.sides
    return Entry(id=_PLACEHOLDER, at_us=draft.at_us, type=draft.type, account=draft.account, **told)


def _trimmed(raw: Mapping[object, object]) -> dict[str, str]:
    """Return the names that have space around them without it; white space alone stays, and is refused."""
    given = {name: raw.get(name) for name in (*NAMES, "account", *ACCOUNTS)}
    return {
        name: bare
        for name, text in given.items()
        if type(text) is str and text and (bare := text.strip()) != text and bare
    }


def _text(raw: Mapping[object, object], name: str) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise EntryError(code="field_invalid", message=f"{name} is a text.", field=name)
    return value.strip()


def _sequence(raw: Mapping[object, object]) -> int:
    value = raw.get("sequence")
    if value is None:
        return 0
    if isinstance(value, JsonNumber) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise EntryError(code="field_invalid", message="sequence is a whole number.", field="sequence")
    return value
