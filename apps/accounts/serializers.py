"""Shapes of the accounts' REST resources: what comes in, what goes out."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from rest_framework import serializers

from apps.accounts.domain.grants import Scope
from apps.accounts.models import AuditEntry, Invite, PersonalToken, Preferences, Role, User
from apps.accounts.models.people import Density, Palette, Theme, instance_time_zone
from apps.core.api.time_fields import TimeField

_LONGEST_PASSWORD = 1024
_Plain = serializers.Serializer[Any]


def _password(**options: Any) -> serializers.CharField:  # noqa: ANN401 - the field's options
    return serializers.CharField(max_length=_LONGEST_PASSWORD, trim_whitespace=False, write_only=True, **options)


def _secret(longest: int, **options: Any) -> serializers.CharField:  # noqa: ANN401 - the field's options
    return serializers.CharField(max_length=longest, **options)


# --- People ---------------------------------------------------------------------------------------------------------
class UserSerializer(serializers.ModelSerializer[User]):
    """A person as they see themself."""

    created_at = TimeField(read_only=True)
    last_sign_in_at = TimeField(source="last_login", read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = ["id", "email", "display_name", "role", "is_active", "is_demo", "created_at", "last_sign_in_at"]
        read_only_fields = fields


class ProfileSerializer(_Plain):
    """What a person may change of themself."""

    display_name = serializers.CharField(max_length=80, allow_blank=True)


class PersonChangeSerializer(_Plain):
    """What those who run the instance may change of a person."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)


class PreferencesSerializer(serializers.ModelSerializer[Preferences]):
    """How a person wants to see the product."""

    display_currency = serializers.RegexField(r"^[A-Z]{2,8}$", default="USD")
    theme = serializers.ChoiceField(choices=Theme.choices, default=Theme.DARK)
    palette = serializers.ChoiceField(choices=Palette.choices, default=Palette.GREEN_RED)
    density = serializers.ChoiceField(choices=Density.choices, default=Density.NORMAL)
    locale = serializers.RegexField(r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$", default="en")
    time_zone = serializers.CharField(max_length=64, default=instance_time_zone)
    private = serializers.BooleanField(default=False)

    class Meta:
        model = Preferences
        fields = ["display_currency", "theme", "palette", "density", "locale", "time_zone", "private"]

    def validate_time_zone(self, value: str) -> str:
        """Refuse a name that is not a time zone's."""
        if value not in available_timezones():
            raise serializers.ValidationError("A name such as Europe/Berlin or UTC.", code="unknown_time_zone")
        return value


# --- Signing in -----------------------------------------------------------------------------------------------------
class RegisterSerializer(_Plain):
    """A new account."""

    email = serializers.EmailField(max_length=254)
    password = _password()
    display_name = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    invite = _secret(200, required=False, allow_blank=True, default="")


class LoginSerializer(_Plain):
    """A sign-in; `device` is what an earlier sign-in on this device returned."""

    email = serializers.EmailField(max_length=254)
    password = _password()
    device = _secret(4096, required=False, allow_blank=True, default="")


class SignedInSerializer(_Plain):
    """What a program gets when it has signed in."""

    access = serializers.CharField(source="tokens.access", read_only=True)
    refresh = serializers.CharField(source="tokens.refresh", read_only=True)
    device = serializers.CharField(source="device_token", read_only=True)
    user = UserSerializer(read_only=True)


class SecondFactorNeededSerializer(_Plain):
    """The password was right; finish with `auth/mfa/verify`."""

    mfa_required = serializers.SerializerMethodField()
    ticket = serializers.CharField(read_only=True)
    methods = serializers.ListField(child=serializers.CharField(), read_only=True)
    passkey_options = serializers.JSONField(read_only=True, allow_null=True)

    def get_mfa_required(self, _value: object) -> bool:
        """Return what tells this answer from the other one."""
        return True


class SecondFactorSerializer(_Plain):
    """A code of the authenticator app, a recovery code, or a passkey's answer."""

    ticket = _secret(100)
    code = _secret(20, required=False, allow_blank=True, default="")
    credential = serializers.DictField(required=False, allow_null=True, default=None)
    device = _secret(4096, required=False, allow_blank=True, default="")


class RefreshSerializer(_Plain):
    """A refresh token."""

    refresh = _secret(2048)


class TokenPairSerializer(_Plain):
    """The next pair of tokens; the refresh token that was sent is spent."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class LogoutSerializer(_Plain):
    """The refresh token of the session to end; without it, the session of the access token."""

    refresh = _secret(2048, required=False, allow_blank=True, default="")


class ReauthenticateSerializer(_Plain):
    """A proof of who is signed in: the password or a code."""

    password = _password(required=False, allow_blank=True, default="")
    code = _secret(20, required=False, allow_blank=True, default="")


# --- Passwords ------------------------------------------------------------------------------------------------------
class PasswordChangeSerializer(_Plain):
    """The present password and the new one."""

    current_password = _password()
    new_password = _password()


class PasswordResetSerializer(_Plain):
    """Whose password is to be set anew."""

    email = serializers.EmailField(max_length=254)


class PasswordResetConfirmSerializer(_Plain):
    """The key from the mail's link, and the new password."""

    key = _secret(200)
    new_password = _password()


# --- Second factors -------------------------------------------------------------------------------------------------
class PasskeySerializer(_Plain):
    """A passkey."""

    id = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    created_at = TimeField(read_only=True)
    last_used_at = TimeField(read_only=True, allow_null=True)


class SecondFactorsSerializer(_Plain):
    """What a person has set up."""

    totp = serializers.BooleanField(read_only=True)
    recovery_codes_left = serializers.IntegerField(read_only=True)
    passkeys = PasskeySerializer(many=True, read_only=True)


class TotpOfferSerializer(_Plain):
    """What an authenticator app is set up with."""

    ticket = serializers.CharField(read_only=True)
    secret = serializers.CharField(read_only=True)
    uri = serializers.CharField(read_only=True)


class TotpConfirmSerializer(_Plain):
    """The code that the app shows now."""

    ticket = _secret(100)
    code = _secret(20)


class RecoveryCodesSerializer(_Plain):
    """Recovery codes that are left."""

    recovery_codes = serializers.ListField(child=serializers.CharField(), read_only=True)


class CeremonySerializer(_Plain):
    """What the browser needs to make or use a passkey."""

    ticket = serializers.CharField(read_only=True)
    options = serializers.JSONField(read_only=True)


class PasskeyAddSerializer(_Plain):
    """The passkey that the browser made."""

    ticket = _secret(100)
    credential = serializers.DictField()
    name = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")


class PasskeyAddedSerializer(PasskeySerializer):
    """The passkey, and recovery codes where there were none before."""

    recovery_codes = serializers.ListField(child=serializers.CharField(), read_only=True)


class PasskeySignInSerializer(_Plain):
    """The answer of the browser's passkey."""

    ticket = _secret(100)
    credential = serializers.DictField()
    device = _secret(4096, required=False, allow_blank=True, default="")


# --- Tokens, sessions, log ------------------------------------------------------------------------------------------
class PersonalTokenSerializer(serializers.ModelSerializer[PersonalToken]):
    """A personal token, without its secret."""

    scopes = serializers.SerializerMethodField()
    hint = serializers.SerializerMethodField()
    created_at = TimeField(read_only=True)
    expires_at = TimeField(read_only=True)
    last_used_at = TimeField(read_only=True, allow_null=True)

    class Meta:
        model = PersonalToken
        fields = ["id", "name", "scopes", "hint", "created_at", "expires_at", "last_used_at"]
        read_only_fields = fields

    def get_scopes(self, token: PersonalToken) -> list[str]:
        """Return the scopes as a list."""
        return token.scopes.split()

    def get_hint(self, token: PersonalToken) -> str:
        """Return the first characters, by which its owner may know it again."""
        return f"cs_pat_{token.lookup}…"


class NewPersonalTokenSerializer(PersonalTokenSerializer):
    """A new personal token; its text is shown this once."""

    token = serializers.CharField(read_only=True)

    class Meta(PersonalTokenSerializer.Meta):
        fields = [*PersonalTokenSerializer.Meta.fields, "token"]
        read_only_fields = fields


class PersonalTokenRequestSerializer(_Plain):
    """A token to be made; without `expires_at` it lives 90 days."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=[scope.value for scope in Scope]),
        min_length=1,
        max_length=len(Scope),
        required=False,
        default=lambda: [Scope.READ.value],
    )
    expires_at = TimeField(required=False, allow_null=True, default=None)


class SessionSerializer(_Plain):
    """A session of a browser or a program."""

    id = serializers.CharField(read_only=True)
    kind = serializers.ChoiceField(choices=["browser", "program"], read_only=True)
    device = serializers.CharField(read_only=True)
    network_address = serializers.CharField(read_only=True)
    created_at = TimeField(read_only=True)
    last_used_at = TimeField(read_only=True)
    is_current = serializers.BooleanField(read_only=True)


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """One security-relevant act."""

    at = TimeField(read_only=True)
    actor = serializers.UUIDField(source="actor_id", read_only=True, allow_null=True)
    subject = serializers.UUIDField(source="subject_id", read_only=True, allow_null=True)
    detail = serializers.JSONField(read_only=True)

    class Meta:
        model = AuditEntry
        fields = [
            "id",
            "at",
            "action",
            "actor",
            "subject",
            "target",
            "detail",
            "network_address",
            "device",
            "request_id",
        ]
        read_only_fields = fields


class AuditQuerySerializer(_Plain):
    """`scope=all` shows the whole log to those who run the instance."""

    scope = serializers.ChoiceField(choices=["own", "all"], required=False, default="own")


class InviteRequestSerializer(_Plain):
    """An invite to be made."""

    role = serializers.ChoiceField(choices=["admin", "member", "viewer"], required=False, default="member")
    note = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")


class InviteSerializer(serializers.ModelSerializer[Invite]):
    """An invite that can still be used."""

    created_at = TimeField(read_only=True)
    expires_at = TimeField(read_only=True)

    class Meta:
        model = Invite
        fields = ["id", "role", "note", "created_at", "expires_at"]
        read_only_fields = fields


class NewInviteSerializer(InviteSerializer):
    """A new invite with the link that lets one person register; the link is shown this once."""

    token = serializers.CharField(read_only=True)
    link = serializers.CharField(read_only=True)

    class Meta(InviteSerializer.Meta):
        fields = [*InviteSerializer.Meta.fields, "token", "link"]
        read_only_fields = fields


def invite_link(token: str) -> str:
    """Return the address of the sign-up page with this invite."""
    return f"{settings.PUBLIC_URL}/account/signup/?invite={token}"
