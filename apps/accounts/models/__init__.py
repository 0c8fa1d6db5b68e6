"""Tables of people: who they are, how they sign in, what was done and by whom."""

from apps.accounts.models.audit import AuditEntry
from apps.accounts.models.mail import Letter
from apps.accounts.models.people import Preferences, Role, User
from apps.accounts.models.sign_in import Ceremony, FailedAttempt, Invite
from apps.accounts.models.tokens import PersonalToken, RefreshFamily

__all__ = [
    "AuditEntry",
    "Ceremony",
    "FailedAttempt",
    "Invite",
    "Letter",
    "PersonalToken",
    "Preferences",
    "RefreshFamily",
    "Role",
    "User",
]
