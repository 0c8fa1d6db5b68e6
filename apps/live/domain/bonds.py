"""Who holds a socket, and by which sign-in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class SignIn(StrEnum):
    """What a ticket was asked for with."""

    SESSION = "session"
    FAMILY = "family"
    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - a kind, not a secret


@dataclass(frozen=True, slots=True)
class Bond:
    """A person and the sign-in that a socket lives and dies with."""

    user_id: UUID
    sign_in: SignIn
    reference: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """What channels need to know of the person behind a socket."""

    user_id: UUID
    runs_instance: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """A way in, once and soon."""

    secret: str
    url: str
    expires_in: int
