"""How a ledger is booked: method, scope, fees, shortfalls, the length of long-term, and what counts as one asset."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from apps.portfolios.domain.transactions import JsonNumber

_LONGEST_WINDOW: Final = 36_500
_LONGEST_NUMBER: Final = 6


class Method(StrEnum):
    """Which units leave first, or which average they leave at."""

    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    ACB = "acb"
    UK_S104 = "uk_s104"


class Scope(StrEnum):
    """Whether all accounts share one set of lots."""

    UNIVERSAL = "universal"
    PER_ACCOUNT = "per_account"


class Fees(StrEnum):
    """Whether fees enter cost and proceeds, or stand beside them."""

    BASIS = "basis"
    SEPARATE = "separate"


class CoinFee(StrEnum):
    """Whether a coin paid as a fee is disposed of, or leaves without a gain."""

    DISPOSE = "dispose"
    CONSUME = "consume"


class SameCoinFee(StrEnum):
    """Whether a fee in the coin sold is a disposal of its own or part of the sale."""

    DISPOSE = "dispose"
    IN_DISPOSAL = "in_disposal"


class Missing(StrEnum):
    """What is said of a disposal that finds too little."""

    ZERO_COST = "zero_cost"
    ERROR = "error"


class PolicyError(ValueError):
    """A policy that cannot be booked by; `code` is stable, `message` says what to change, `field` where."""

    def __init__(self, *, code: str, message: str, field: str) -> None:
        self.code = code
        self.message = message
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Policy:
    """One complete set of rules; the defaults are those of the format."""

    method: Method = Method.FIFO
    scope: Scope = Scope.UNIVERSAL
    fees: Fees = Fees.BASIS
    crypto_fee: CoinFee = CoinFee.DISPOSE
    same_coin_fee: SameCoinFee = SameCoinFee.DISPOSE
    transfer_fee: CoinFee = CoinFee.DISPOSE
    missing: Missing = Missing.ZERO_COST
    long_days: int = 365
    hifo_excl_fee: bool = False
    alias: Mapping[str, str] = field(default_factory=dict)
    superficial_window_days: int | None = None

    @property
    def pooled(self) -> bool:
        """Whether units lose their identity in an average."""
        return self.method in {Method.ACB, Method.UK_S104}

    @property
    def watched(self) -> bool:
        """Whether a window of days around a loss is looked at."""
        return self.method is Method.ACB and self.superficial_window_days is not None

    def bucket(self, asset: str) -> str:
        """Return the asset that the given one shares its basis with, itself as a rule."""
        return self.alias.get(asset, asset)


_CHOICES: Final[Mapping[str, type[StrEnum]]] = {
    "method": Method,
    "scope": Scope,
    "fees": Fees,
    "crypto_fee": CoinFee,
    "same_coin_fee": SameCoinFee,
    "transfer_fee": CoinFee,
    "missing": Missing,
}


def parse_policy(raw: object) -> Policy:
    """Return the policy that the mapping spells, defaults for what it leaves out, or raise `PolicyError`."""
    if not isinstance(raw, Mapping):
        raise PolicyError(code="policy_invalid", message="A policy is an object of named settings.", field="policy")
    given = {name: value for name, value in raw.items() if value is not None}
    found: dict[str, object] = {name: _choice(name, given[name]) for name in _CHOICES if name in given}
    if "long_days" in given:
        found["long_days"] = _days("long_days", given["long_days"])
    if "superficial_window_days" in given:
        found["superficial_window_days"] = _days("superficial_window_days", given["superficial_window_days"])
    if "hifo_excl_fee" in given:
        found["hifo_excl_fee"] = _flag("hifo_excl_fee", given["hifo_excl_fee"])
    if "alias" in given:
        found["alias"] = _aliases(given["alias"])
    unknown = sorted(str(name) for name in given if name not in Policy.__slots__)
    if unknown:
        raise PolicyError(code="policy_invalid", message=f"There is no setting {', '.join(unknown)}.", field=unknown[0])
    return checked_policy(Policy(**found))  # type: ignore[arg-type]


def checked_policy(policy: Policy) -> Policy:
    """Return the policy, or raise `PolicyError` where two of its settings contradict each other."""
    if policy.method is Method.UK_S104 and policy.scope is Scope.PER_ACCOUNT:
        raise PolicyError(
            code="policy_refused",
            message="Section 104 pools span all accounts; use scope universal with uk_s104.",
            field="scope",
        )
    return policy


def policy_as_portable(policy: Policy) -> dict[str, object]:
    """Return the policy in the portable format, every setting named."""
    portable: dict[str, object] = {name: str(getattr(policy, name)) for name in _CHOICES}
    portable |= {
        "long_days": policy.long_days,
        "hifo_excl_fee": policy.hifo_excl_fee,
        "alias": dict(policy.alias),
    }
    if policy.superficial_window_days is not None:
        portable["superficial_window_days"] = policy.superficial_window_days
    return portable


def _choice(name: str, value: object) -> StrEnum:
    choices = _CHOICES[name]
    try:
        return choices(str(value))
    except ValueError as error:
        raise PolicyError(
            code="policy_invalid", message=f"{name} is one of {', '.join(choices)}.", field=name
        ) from error


def _days(name: str, value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LONGEST_WINDOW:
        raise PolicyError(
            code="policy_invalid", message=f"{name} is a whole number of days up to {_LONGEST_WINDOW}.", field=name
        )
    return value


def _flag(name: str, value: object) -> bool:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value, value)
    if not isinstance(value, bool):
        raise PolicyError(code="policy_invalid", message=f"{name} is true or false.", field=name)
    return value


def _aliases(value: object) -> dict[str, str]:
    pairs = value.items() if isinstance(value, Mapping) else [(None, None)]
    aliases: dict[str, str] = {}
    for name, target in pairs:
        if not all(isinstance(text, str) and text and not isinstance(text, JsonNumber) for text in (name, target)):
            raise PolicyError(code="policy_invalid", message="alias maps asset names to asset names.", field="alias")
        aliases[str(name)] = str(target)
    return {name: _root(name, aliases) for name in aliases}


def _root(name: str, aliases: Mapping[str, str]) -> str:
    seen = [name]
    while seen[-1] in aliases and aliases[seen[-1]] != seen[-1]:
        seen.append(aliases[seen[-1]])
        if seen[-1] in seen[:-1]:
            raise PolicyError(
                code="policy_invalid", message=f"The aliases {', '.join(seen)} go round in a circle.", field="alias"
            )
    return seen[-1]
