"""What can be done to people, their ways in and their tokens."""

from apps.accounts.actions.audit import record_audit
from apps.accounts.actions.mail import send_letter
from apps.accounts.actions.passwords import change_password, request_password_reset, reset_password
from apps.accounts.actions.people import (
    delete_account,
    manage_person,
    save_preferences,
    update_profile,
)
from apps.accounts.actions.personal_tokens import make_personal_token, revoke_personal_token
from apps.accounts.actions.program_sessions import end_family, refresh_family
from apps.accounts.actions.registration import create_person, make_invite, register, revoke_invite
from apps.accounts.actions.second_factor import (
    add_passkey,
    confirm_totp,
    offer_passkey,
    offer_totp,
    remove_passkey,
    renew_recovery_codes,
    show_recovery_codes,
    turn_off_totp,
)
from apps.accounts.actions.sessions import end_everything, end_other_sessions, end_session
from apps.accounts.actions.sign_in import (
    begin_passkey_sign_in,
    check_password,
    prove_identity,
    sign_in_program,
    sign_in_with_passkey,
    verify_second_factor,
)

__all__ = [
    "add_passkey",
    "begin_passkey_sign_in",
    "change_password",
    "check_password",
    "confirm_totp",
    "create_person",
    "delete_account",
    "end_everything",
    "end_family",
    "end_other_sessions",
    "end_session",
    "make_invite",
    "make_personal_token",
    "manage_person",
    "offer_passkey",
    "offer_totp",
    "prove_identity",
    "record_audit",
    "refresh_family",
    "register",
    "remove_passkey",
    "renew_recovery_codes",
    "request_password_reset",
    "reset_password",
    "revoke_invite",
    "revoke_personal_token",
    "save_preferences",
    "send_letter",
    "show_recovery_codes",
    "sign_in_program",
    "sign_in_with_passkey",
    "turn_off_totp",
    "update_profile",
    "verify_second_factor",
]
