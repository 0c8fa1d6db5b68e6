"""What a key may do, judged; and the steps by which a key is tried before it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from apps.exchanges.domain.reading import KeyRights

#: So old a key should be replaced by a new one.
KEY_GROWS_OLD: Final = timedelta(days=180)
#: So often the rights of every key are looked at.
LOOKED_AT_EVERY: Final = timedelta(days=7)
#: A key that ends within this time is spoken of.
ENDS_SOON: Final = timedelta(days=14)

UNKNOWN_RIGHTS: Final = KeyRights(read=None, trade=None, transfer=None, withdraw=None)


class StepCode(StrEnum):
    """The steps of trying a key, in their order."""

    REACH = "reach"
    TIME = "time"
    CREDENTIALS = "credentials"
    RIGHTS = "rights"
    BALANCES = "balances"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How one step went, in words."""

    code: StepCode
    ok: bool
    detail: str


class Caution(StrEnum):
    """What the owner of a key should know about it."""

    CAN_WITHDRAW = "can_withdraw"
    CAN_TRADE = "can_trade"
    UNVERIFIED = "unverified"
    ANY_ADDRESS = "any_address"
    OLD = "old"
    ENDS_SOON = "ends_soon"


def can_move_coins(rights: KeyRights) -> bool:
    """Tell whether a key is known to be able to take coins out of the account."""
    return rights.withdraw is True or rights.transfer is True


def is_unverified(rights: KeyRights) -> bool:
    """Tell whether the exchange left anything open about what the key may do."""
    return None in (rights.read, rights.trade, rights.transfer, rights.withdraw) or bool(rights.unknown)


def rights_of(kept: Mapping[str, Any]) -> KeyRights:
    """Return rights as they were kept with a connection."""
    known = {one.name for one in fields(KeyRights)}
    values = {name: value for name, value in kept.items() if name in known}
    values["unknown"] = tuple(values.get("unknown") or ())
    return KeyRights(**{"read": None, "trade": None, "transfer": None, "withdraw": None, **values})


def cautions_of(*, rights: KeyRights, key_changed_at: datetime, now: datetime) -> tuple[Caution, ...]:
    """Return what the owner should know about a key, the gravest first."""
    ends_at_ms = rights.expires_at_ms
    ends_soon = ends_at_ms is not None and ends_at_ms <= (now + ENDS_SOON).timestamp() * 1000
    found = {
        Caution.CAN_WITHDRAW: can_move_coins(rights),
        Caution.CAN_TRADE: rights.trade is True,
        Caution.UNVERIFIED: is_unverified(rights),
        Caution.ENDS_SOON: ends_soon,
        Caution.ANY_ADDRESS: rights.is_bound_to_addresses is False,
        Caution.OLD: now - key_changed_at >= KEY_GROWS_OLD,
    }
    return tuple(one for one, holds in found.items() if holds)
