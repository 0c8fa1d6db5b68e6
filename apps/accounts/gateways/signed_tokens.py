"""Signs and reads the tokens of programs: Ed25519, a key id in the head, every claim required."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

ACCESS = "access"
REFRESH = "refresh"
_REQUIRED = ["iss", "sub", "fam", "jti", "typ", "iat", "nbf", "exp"]
_LONGEST_TOKEN = 2048
_REMEMBERED = 4096


class TokenRefusedError(Exception):
    """The token is not one of ours, not of the kind asked for, or not valid now."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, once its signature has been checked."""

    kind: str
    user_id: UUID
    family_id: UUID
    token_id: UUID
    valid_from: int
    expires_at: int


class KeyedTokenBackend(TokenBackend):
    """simplejwt's signer, with the key's id in the head and no claim left out."""

    def __init__(self, *, key_id: str, **options: Any) -> None:  # noqa: ANN401 - simplejwt's options
        super().__init__(**options)
        self.key_id = key_id

    def encode(self, payload: dict[str, Any]) -> str:
        claims = {**payload, "iss": self.issuer}
        return jwt.encode(claims, self.prepared_signing_key, algorithm=self.algorithm, headers={"kid": self.key_id})

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: ANN401, FBT001, FBT002 - simplejwt's
        try:
            complete = jwt.decode_complete(
                token,
                self.prepared_verifying_key,
                algorithms=[self.algorithm],
                issuer=self.issuer,
                leeway=self.get_leeway(),
                options={"require": _REQUIRED, "verify_signature": verify, "verify_aud": False},
            )
        except jwt.InvalidTokenError as error:
            raise TokenBackendError("Token is invalid") from error
        if complete["header"].get("kid") != self.key_id:
            raise TokenBackendError("Token is signed with another key")
        payload: dict[str, Any] = complete["payload"]
        return payload


@lru_cache(maxsize=1)
def _backend() -> KeyedTokenBackend:
    options: dict[str, Any] = dict(settings.SIMPLE_JWT)
    return KeyedTokenBackend(
        key_id=hashlib.sha256(options["VERIFYING_KEY"].encode()).hexdigest()[:16],
        algorithm=options["ALGORITHM"],
        signing_key=options["SIGNING_KEY"],
        verifying_key=options["VERIFYING_KEY"],
        issuer=options["ISSUER"],
        leeway=options["LEEWAY"],
    )


def sign(*, kind: str, user_id: UUID, family_id: UUID, token_id: UUID, now: datetime, expires_at: datetime) -> str:
    """Return a signed token."""
    issued = int(now.timestamp())
    return _backend().encode(
        {
            "typ": kind,
            "sub": str(user_id),
            "fam": str(family_id),
            "jti": str(token_id),
            "iat": issued,
            "nbf": issued,
            "exp": int(expires_at.timestamp()),
        }
    )


def read(text: str, *, kind: str, now: datetime) -> Claims:
    """Return what the token says, or raise `TokenRefusedError`."""
    if len(text) > _LONGEST_TOKEN:
        raise TokenRefusedError("too long")
    claims = _verified(text)
    if claims.kind != kind:
        raise TokenRefusedError("of another kind")
    moment, leeway = now.timestamp(), _backend().get_leeway().total_seconds()
    if not claims.valid_from - leeway <= moment < claims.expires_at + leeway:
        raise TokenRefusedError("not valid now")
    return claims


@lru_cache(maxsize=_REMEMBERED)
def _verified(text: str) -> Claims:
    """Check the signature, once per token and process: what was signed stays signed. Refusals are not remembered."""
    try:
        payload = _backend().decode(text)
        return Claims(
            kind=str(payload["typ"]),
            user_id=UUID(payload["sub"]),
            family_id=UUID(payload["fam"]),
            token_id=UUID(payload["jti"]),
            valid_from=int(payload["nbf"]),
            expires_at=int(payload["exp"]),
        )
    except (TokenBackendError, ValueError, TypeError, AttributeError) as error:
        raise TokenRefusedError("not valid") from error
