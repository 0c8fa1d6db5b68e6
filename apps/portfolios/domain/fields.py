"""Which fields an entry may name when somebody types it for a program: a slip in a name must not cost money.

A file of the portable format may carry more than its own fields, so its readers do not ask this; the REST door does.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from apps.portfolios.domain.drafts import ACCOUNTS, AMOUNTS, NAMES, REMARKS
from apps.portfolios.domain.names import shown
from apps.portfolios.domain.transactions import SHAPES, EntryError

#: What an answer holds besides, and may be sent back as it was read.
OURS: Final = frozenset({"batch", "source", "created_at", "reversed_in", "changed"})
_HEAD: Final = ("id", "ts", "type", "account")
FIELDS: Final = (*_HEAD, *AMOUNTS, *NAMES, *ACCOUNTS, "external_id", "sequence", *REMARKS)
_KNOWN: Final = frozenset(FIELDS) | OURS
#: Words of other products for what is called otherwise here.
_ELSEWHERE: Final[Mapping[str, str]] = {
    "coin": "asset",
    "comment": "note",
    "cost": "value",
    "currency": "quote",
    "date": "ts",
    "description": "note",
    "fee_amount": "fee",
    "fee_coin": "fee_asset",
    "fee_currency": "fee_asset",
    "hash": "tx_hash",
    "memo": "note",
    "quantity": "amount",
    "side": "type",
    "symbol": "asset",
    "time": "ts",
    "timestamp": "ts",
    "total": "value",
    "txid": "tx_hash",
}
_SHAPES: Final = {kind.value: shape for kind, shape in SHAPES.items()}
_NEAR: Final = 0.6
_LONGEST: Final = 64
#: What says something about money or place, so that it must not be passed over.
_WEIGHTY: Final = (*AMOUNTS, "asset", "out_asset", "in_asset", *ACCOUNTS)
_NOTHING: Final = (None, "", "0", 0)


def check_fields(raw: Mapping[Any, object], *, index: int = 0) -> None:
    """Refuse a field that no entry has, and one that this type of entry does not have."""
    for name in raw:
        if name not in _KNOWN:
            message = unknown_field(str(name), known=FIELDS, elsewhere=_ELSEWHERE)
            raise EntryError(code="field_unknown", message=message, field=shown(str(name)), index=index)
    foreign = next((name for name in foreign_fields(raw) if raw[name] not in _NOTHING), None)
    if foreign is not None:
        message = f"An entry of type {raw['type']} has no {foreign}."
        raise EntryError(code="field_unexpected", message=message, field=foreign, index=index)


def foreign_fields(raw: Mapping[Any, object]) -> list[str]:
    """Return the named fields of weight that an entry of this type does not have."""
    kind = raw.get("type")
    shape = _SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        return []
    own = {*shape.names, *shape.positive, *shape.optional, *shape.needed, "fee", "fee_value"}
    return [name for name in _WEIGHTY if name in raw and name not in own]


def unknown_field(name: str, *, known: tuple[str, ...], elsewhere: Mapping[str, str] | None = None) -> str:
    """Return what to say of a field that is not known, with the one that may be meant."""
    plain = name[:_LONGEST].lower()
    meant = (elsewhere or {}).get(plain) or next(iter(get_close_matches(plain, known, n=1, cutoff=_NEAR)), None)
    said = f"There is no field {shown(name)}."
    return f"{said} Did you mean {meant}?" if meant else f"{said} Leave it out."
