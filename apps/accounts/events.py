"""What happens to people that others want to hear of."""

from dataclasses import dataclass
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class UserRegistered(Event):
    """A person has an account now."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class AccessEnded(Event):
    """Sign-ins of a person have ended: one family of tokens, or all of them when no family is named."""

    user_id: UUID
    family_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class UserDeleted(Event):
    """A person and everything of theirs has been deleted."""

    user_id: UUID
