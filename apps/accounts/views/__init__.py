"""Pages of the accounts: ways in, one's own pages, and people for those who run the instance."""

from apps.accounts.views.entry import admin_login, to_security
from apps.accounts.views.people import audit_log, change_person, invite, people, revoke_invite
from apps.accounts.views.profile import activity, delete_account, preferences, profile
from apps.accounts.views.security import end_other_sessions, end_session, make_token, revoke_token, security

__all__ = [
    "activity",
    "admin_login",
    "audit_log",
    "change_person",
    "delete_account",
    "end_other_sessions",
    "end_session",
    "invite",
    "make_token",
    "people",
    "preferences",
    "profile",
    "revoke_invite",
    "revoke_token",
    "security",
    "to_security",
]
