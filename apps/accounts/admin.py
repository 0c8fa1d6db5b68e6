"""People in Django's admin: sensible lists, secrets never shown, the audit log read-only."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.accounts.models import (
    AuditEntry,
    Ceremony,
    FailedAttempt,
    Invite,
    Letter,
    PersonalToken,
    Preferences,
    RefreshFamily,
    User,
)

for model in (Group, EmailAddress, Authenticator, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """A table to look at; what changes it is an action with its rules and its entry in the log."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People; roles are changed on the operations page, where the rules for owners hold."""

    list_display = ("email", "display_name", "role", "is_active", "last_login", "created_at")
    list_filter = ("role", "is_active")
    search_fields = ("email", "display_name")
    fields = ("id", "email", "display_name", "role", "is_active", "is_demo", "last_login", "created_at")


@admin.register(Preferences)
class PreferencesAdmin(ReadOnlyAdmin):
    """How people want to see the product."""

    list_display = ("user", "display_currency", "theme", "palette", "locale", "time_zone")
    list_select_related = ("user",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit log."""

    list_display = ("at", "action", "actor", "subject", "target", "network_address")
    list_select_related = ("actor", "subject")
    list_filter = ("action",)
    search_fields = ("action", "target", "request_id", "actor__email", "subject__email")
    date_hierarchy = "at"


@admin.register(RefreshFamily)
class RefreshFamilyAdmin(ReadOnlyAdmin):
    """Sessions of programs."""

    list_display = ("user", "device", "network_address", "created_at", "last_used_at", "ended_at", "end_reason")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    exclude = ("live_token",)


@admin.register(PersonalToken)
class PersonalTokenAdmin(ReadOnlyAdmin):
    """Personal tokens."""

    list_display = ("name", "user", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__email")
    exclude = ("secret_hash", "lookup")


@admin.register(Invite)
class InviteAdmin(ReadOnlyAdmin):
    """Invites."""

    list_display = ("created_at", "created_by", "role", "note", "expires_at", "used_at", "revoked_at")
    list_select_related = ("created_by",)


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    """Mails."""

    list_display = ("created_at", "about", "notice", "person", "state", "problem_code")
    list_select_related = ("person",)
    list_filter = ("state", "about")


@admin.register(Ceremony)
class CeremonyAdmin(ReadOnlyAdmin):
    """Half-finished sign-ins."""

    list_display = ("kind", "user", "expires_at")
    list_select_related = ("user",)
    fields = ("kind", "user", "expires_at")


@admin.register(FailedAttempt)
class FailedAttemptAdmin(ReadOnlyAdmin):
    """Wrong tries."""

    list_display = ("at",)
    fields = ("at",)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """E-mail addresses."""

    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    list_filter = ("verified",)
    search_fields = ("email",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors and passkeys, without what is in them."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    fields = ("user", "type", "created_at", "last_used_at")


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin):
    """Sessions of browsers."""

    list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    list_select_related = ("user",)
    fields = ("user", "ip", "user_agent", "created_at", "last_seen_at")
