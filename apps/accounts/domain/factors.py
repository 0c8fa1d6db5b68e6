"""Second factors by name, and a passkey as its owner sees it."""

from dataclasses import dataclass
from datetime import datetime

TOTP = "totp"
RECOVERY_CODE = "recovery_code"
PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What a person has set up besides their password."""

    totp: bool
    recovery_codes_left: int
    passkeys: list[Passkey]
