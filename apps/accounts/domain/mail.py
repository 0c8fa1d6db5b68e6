"""The mails that accounts send, and what each notice says."""

from enum import StrEnum


class MailKind(StrEnum):
    """What a mail is about; each has its templates under `accounts/email/`."""

    VERIFY = "verify"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a mail
    NOTICE = "notice"


#: What happened -> how the mail says it.
NOTICES: dict[str, str] = {
    "password_changed": "Your password was changed.",
    "password_set": "A password was set for your account.",
    "password_reset": "Your password was set anew with a link from a mail.",
    "email_changed": "The e-mail address of your account was changed.",
    "email_confirmed": "Your e-mail address was confirmed.",
    "email_deleted": "An e-mail address was removed from your account.",
    "totp_turned_on": "An authenticator app was set up for your account.",
    "totp_turned_off": "The authenticator app was removed from your account.",
    "recovery_codes_renewed": "New recovery codes were made; the old ones no longer work.",
    "passkey_added": "A passkey was added to your account.",
    "passkey_removed": "A passkey was removed from your account.",
    "token_created": "A personal access token was made for your account.",
}

#: allauth's names of the same acts.
SAME_AS: dict[str, str] = {
    "totp_activated": "totp_turned_on",
    "totp_deactivated": "totp_turned_off",
    "recovery_codes_generated": "recovery_codes_renewed",
    "webauthn_added": "passkey_added",
    "webauthn_removed": "passkey_removed",
    "email_confirm": "email_confirmed",
}

#: Notices about second factors, which the audit log keeps under one heading.
SECOND_FACTOR_NOTICES = frozenset(
    {"totp_turned_on", "totp_turned_off", "recovery_codes_renewed", "passkey_added", "passkey_removed"}
)


def audit_action(notice: str) -> str:
    """Return under what name the audit log keeps the act that a notice is about."""
    if notice in SECOND_FACTOR_NOTICES:
        return f"second_factor.{notice}"
    subject, _, verb = notice.partition("_")
    return f"{subject}.{verb}"
