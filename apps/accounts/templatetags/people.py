"""What account pages say of devices, of entries of the audit log, and of who may register."""

from collections.abc import Mapping
from typing import Final

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.domain.devices import device_of
from apps.accounts.models import AuditEntry, Role, User
from apps.accounts.queries import SecondFactors, second_factors_of
from apps.accounts.queries import registration_state as asked_registration_state

register = template.Library()

#: action -> what the log says was done, and the icon beside it
DEEDS: Final[Mapping[str, tuple[Promise, str]]] = {
    "account.registered": (gettext_lazy("Account registered"), "user"),
    "account.created": (gettext_lazy("Account made by set-up"), "user"),
    "account.renamed": (gettext_lazy("Name changed"), "user"),
    "account.deleted": (gettext_lazy("Account deleted"), "trash"),
    "email.changed": (gettext_lazy("Email address changed"), "mail"),
    "email.confirmed": (gettext_lazy("Email address confirmed"), "mail"),
    "email.deleted": (gettext_lazy("Email address removed"), "mail"),
    "password.changed": (gettext_lazy("Password changed"), "lock"),
    "password.set": (gettext_lazy("Password set"), "lock"),
    "password.reset": (gettext_lazy("Password set anew with a link from a mail"), "lock"),
    "password.reset_requested": (gettext_lazy("Link for a new password asked for"), "mail"),
    "sign_in.succeeded": (gettext_lazy("Signed in"), "in"),
    "sign_in.failed": (gettext_lazy("Sign-in refused, wrong password"), "warn"),
    "sign_in.code_failed": (gettext_lazy("Sign-in refused, wrong code"), "warn"),
    "sign_in.passkey_failed": (gettext_lazy("Sign-in refused, passkey not accepted"), "warn"),
    "identity.proved": (gettext_lazy("Confirmed who is signed in"), "check"),
    "identity.proof_failed": (gettext_lazy("Confirmation refused, wrong password or code"), "warn"),
    "second_factor.totp_turned_on": (gettext_lazy("Authenticator app set up"), "phone"),
    "second_factor.totp_turned_off": (gettext_lazy("Authenticator app removed"), "phone"),
    "second_factor.recovery_codes_renewed": (gettext_lazy("New recovery codes made"), "ticket"),
    "second_factor.recovery_codes_viewed": (gettext_lazy("Recovery codes looked at"), "eye"),
    "second_factor.passkey_added": (gettext_lazy("Passkey added"), "finger"),
    "second_factor.passkey_removed": (gettext_lazy("Passkey removed"), "finger"),
    "session.ended": (gettext_lazy("Session ended"), "leave"),
    "session.others_ended": (gettext_lazy("Every other session ended"), "leave"),
    "session.reuse_detected": (gettext_lazy("Spent token sent again, its session ended"), "warn"),
    "token.created": (gettext_lazy("Personal token made"), "key"),
    "token.revoked": (gettext_lazy("Personal token revoked"), "key"),
    "share.created": (gettext_lazy("Share link made"), "link"),
    "share.revoked": (gettext_lazy("Share link revoked"), "link"),
    "share.first_opened": (gettext_lazy("Share link opened for the first time"), "eye"),
    "invite.created": (gettext_lazy("Invite made"), "ticket"),
    "invite.revoked": (gettext_lazy("Invite taken back"), "ticket"),
    "person.role_changed": (gettext_lazy("Role changed"), "people"),
    "person.deactivated": (gettext_lazy("Kept out"), "people"),
    "person.reactivated": (gettext_lazy("Let in again"), "people"),
    "job.cancelled": (gettext_lazy("Job cancelled"), "wrench"),
    "job.retried": (gettext_lazy("Job queued again"), "wrench"),
    "tax_year.frozen": (gettext_lazy("Tax year frozen"), "lock"),
    "tax_year.frozen_anew": (gettext_lazy("Tax year frozen anew"), "lock"),
    "tax_year.unlocked": (gettext_lazy("Tax year unlocked"), "lock"),
    "asset.merged": (gettext_lazy("Asset merged into another"), "wrench"),
    "asset.named": (gettext_lazy("Meaning of an asset's code set"), "wrench"),
    "instance.backed_up": (gettext_lazy("Instance backed up"), "wrench"),
    "instance.restored": (gettext_lazy("Instance restored from a backup"), "wrench"),
}
_WAYS: Final[Mapping[str, Promise]] = {
    "session": gettext_lazy("in a browser"),
    "password": gettext_lazy("with a password"),
    "passkey": gettext_lazy("with a passkey"),
    "totp": gettext_lazy("with a password and a code"),
    "recovery_code": gettext_lazy("with a recovery code"),
}


@register.filter
def deed(entry: AuditEntry) -> str:
    """Say what was done; an action without words of its own is shown as it is."""
    known = DEEDS.get(entry.action)
    return str(known[0]) if known else entry.action


@register.filter
def deed_icon(entry: AuditEntry) -> str:
    """Return the icon beside it."""
    known = DEEDS.get(entry.action)
    return known[1] if known else "doc"


def deed_detail(entry: AuditEntry) -> str:
    """Say more of it, where the log knows more."""
    detail = entry.detail if isinstance(entry.detail, dict) else {}
    if "from" in detail and "to" in detail:
        return _("from %(before)s to %(after)s") % {"before": _role(detail["from"]), "after": _role(detail["to"])}
    if "scopes" in detail:
        return _("may %(scopes)s") % {"scopes": str(detail["scopes"]).replace(" ", ", ")}
    if "via" in detail:
        return str(_WAYS.get(str(detail["via"]), detail["via"]))
    if "role" in detail:
        return _("as %(role)s") % {"role": _role(detail["role"])}
    return ""


@register.simple_tag
def deed_about(entry: AuditEntry, reader: User | None = None) -> str:
    """Say by whom, about whom and what else is known; a reader of their own log is not named to themself."""
    parts = [_by(entry, reader), _about(entry, reader), deed_detail(entry)]
    return ", ".join(part for part in parts if part)


def _by(entry: AuditEntry, reader: User | None) -> str:
    if entry.actor_id is None:
        return "" if entry.subject_id is None else _("by somebody not signed in")
    if reader is not None and entry.actor_id == reader.pk:
        return ""
    return _("by %(person)s") % {"person": entry.actor}


def _about(entry: AuditEntry, reader: User | None) -> str:
    if entry.subject_id in {None, entry.actor_id} or (reader is not None and entry.subject_id == reader.pk):
        return ""
    return _("about %(person)s") % {"person": entry.subject}


def _role(name: object) -> str:
    return str(Role(str(name)).label).lower() if name in Role.values else str(name)


@register.filter
def device(user_agent: str) -> str:
    """Say in words what a device calls itself."""
    found = device_of(user_agent)
    if found.name and found.system:
        return _("%(name)s on %(system)s") % {"name": found.name, "system": found.system}
    return found.name or found.system or _("Unknown device")


@register.filter
def device_icon(user_agent: str) -> str:
    """Return the icon of a device: a phone or a screen."""
    return "phone" if device_of(user_agent).is_handheld else "screen"


@register.simple_tag
def registration_state() -> str:
    """Return who may register: open, invite or closed."""
    return str(asked_registration_state())


@register.simple_tag
def second_factors(user: User) -> SecondFactors:
    """Return what a person has set up besides their password."""
    return second_factors_of(user=user)
