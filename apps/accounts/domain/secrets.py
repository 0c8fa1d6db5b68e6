"""Secrets with so much chance in them that a plain hash is enough to store them."""

import hashlib
import secrets
from dataclasses import dataclass

PERSONAL_TOKEN_PREFIX = "cs_pat_"  # noqa: S105 - a prefix, not a secret
_LOOKUP_LENGTH = 12
_SECRET_BYTES = 32
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def secret_hash(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_ticket() -> str:
    """Return a fresh secret for something that takes two requests."""
    return secrets.token_urlsafe(_SECRET_BYTES)


@dataclass(frozen=True, slots=True)
class PersonalSecret:
    """A personal token as its owner holds it: a part to look it up by, and the secret."""

    lookup: str
    secret: str

    @property
    def text(self) -> str:
        """Return the token as it is sent."""
        return f"{PERSONAL_TOKEN_PREFIX}{self.lookup}_{self.secret}"

    @property
    def hash(self) -> str:
        """Return what is stored of the secret."""
        return secret_hash(self.secret)

    def __repr__(self) -> str:
        return f"PersonalSecret({self.lookup}, ***)"


def new_personal_secret() -> PersonalSecret:
    """Return a fresh personal token."""
    lookup = "".join(secrets.choice(_ALPHABET) for _ in range(_LOOKUP_LENGTH))
    return PersonalSecret(lookup=lookup, secret=secrets.token_urlsafe(_SECRET_BYTES))


def parse_personal_secret(text: str) -> PersonalSecret | None:
    """Return the two parts of a personal token, or nothing where the text is none."""
    lookup, _, secret = text.removeprefix(PERSONAL_TOKEN_PREFIX).partition("_")
    if not text.startswith(PERSONAL_TOKEN_PREFIX) or len(lookup) != _LOOKUP_LENGTH or not 40 <= len(secret) <= 64:
        return None
    return PersonalSecret(lookup=lookup, secret=secret)
