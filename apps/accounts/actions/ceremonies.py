"""Things that take two requests: the first gives a ticket, the second one shows it, once."""

from datetime import datetime, timedelta

from apps.accounts.domain.secrets import new_ticket, secret_hash
from apps.accounts.models import Ceremony, User
from apps.accounts.models.sign_in import CeremonyKind

AGE = timedelta(minutes=5)


def begin_ceremony(*, kind: CeremonyKind, user: User | None, now: datetime, state: str = "") -> str:
    """Store the half-finished thing and return its ticket."""
    ticket = new_ticket()
    Ceremony.objects.create(kind=kind, user=user, state=state, ticket_hash=secret_hash(ticket), expires_at=now + AGE)
    return ticket


def ceremony_of(*, ticket: str, kind: CeremonyKind, now: datetime, user: User | None = None) -> Ceremony | None:
    """Return what the ticket belongs to, unless it is spent, too old, of another kind or another person's."""
    found = Ceremony.objects.select_related("user").filter(
        kind=kind, ticket_hash=secret_hash(ticket), expires_at__gt=now
    )
    return (found.filter(user=user) if user else found).first()


def spend_ceremony(*, ceremony: Ceremony) -> bool:
    """Spend the ticket; false when somebody was faster."""
    return Ceremony.objects.filter(pk=ceremony.pk).delete()[0] == 1


def forget_ceremonies_of(*, user: User) -> int:
    """Delete what this person has begun: who got half way in with an old password gets no further."""
    return Ceremony.objects.filter(user=user).delete()[0]


def forget_old_ceremonies(*, now: datetime) -> int:
    """Delete what was never finished."""
    return Ceremony.objects.filter(expires_at__lt=now).delete()[0]
