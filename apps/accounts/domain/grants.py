"""What whoever sent a request may do: an interactive sign-in may do all, a personal token what its scopes cover."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

RECENT = timedelta(minutes=10)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Scope(StrEnum):
    """What a personal token may do; each scope covers the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


_COVERED = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.WRITE: frozenset({Scope.READ, Scope.WRITE}),
    Scope.ADMIN: frozenset(Scope),
}
EVERYTHING = frozenset(Scope)


def covered(scopes: Iterable[str]) -> frozenset[Scope]:
    """Return every scope that the given ones cover."""
    return frozenset[Scope]().union(*(_COVERED[Scope(scope)] for scope in scopes))


def scopes_text(scopes: Iterable[Scope]) -> str:
    """Return the scopes as they are stored: once each, in their own order."""
    given = set(scopes)
    return " ".join(scope for scope in Scope if scope in given)


@dataclass(frozen=True, slots=True)
class Grant:
    """How the sender of a request proved who they are, and what that allows."""

    scopes: frozenset[Scope] = EVERYTHING
    family_id: UUID | None = None
    personal_token_id: UUID | None = None
    authenticated_at: datetime | None = None

    @property
    def is_personal_token(self) -> bool:
        """Tell whether a personal token was sent."""
        return self.personal_token_id is not None

    def allows(self, method: str) -> bool:
        """Tell whether a request of this method may pass."""
        return (Scope.READ if method in SAFE_METHODS else Scope.WRITE) in self.scopes

    def is_recent(self, *, now: datetime) -> bool:
        """Tell whether the person proved who they are within the last ten minutes."""
        return self.authenticated_at is not None and now - self.authenticated_at < RECENT
