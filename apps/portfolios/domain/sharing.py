"""Links that show something to whoever holds them: what they are for, and the secret they carry."""

import hashlib
import secrets
from enum import StrEnum
from typing import Final

PREFIX: Final = "cs_share_"
SECRET_BYTES: Final = 32
USUAL_DAYS: Final = 30
MOST_DAYS: Final = 365
MOST_LIVE: Final = 20
#: The last year that has an end in our calendar.
LAST_YEAR: Final = 9998


class SharePurpose(StrEnum):
    """What a link opens; it opens nothing else."""

    PORTFOLIO = "portfolio"
    TAX_YEAR = "tax_year"


class ShareContent(StrEnum):
    """How much a link shows."""

    PERCENTAGES = "percentages"
    FULL = "full"


def new_share_token() -> str:
    """Return a fresh secret of 256 bits, in the shape that the log takes out of every line."""
    return f"{PREFIX}{secrets.token_urlsafe(SECRET_BYTES)}"


def share_fingerprint(token: str, *, purpose: str) -> str:
    """Return what is stored of a token: the purpose goes in, so that for another one there is no such link."""
    return hashlib.sha256(f"{purpose}\x00{token}".encode("utf-8", "surrogatepass")).hexdigest()
