"""Forms of the pages: `sign_in` holds allauth's with our actions behind them, `pages` those of our own pages."""

from apps.accounts.forms.pages import (
    AccountDeletionForm,
    InviteForm,
    PersonalTokenForm,
    PersonForm,
    PreferencesForm,
    ProfileForm,
)
from apps.accounts.forms.sign_in import (
    ActivateTotpForm,
    AddEmailForm,
    AddPasskeyForm,
    AuthenticateForm,
    ChangePasswordForm,
    LoginForm,
    PasswordProofForm,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    SignupForm,
)

__all__ = [
    "AccountDeletionForm",
    "ActivateTotpForm",
    "AddEmailForm",
    "AddPasskeyForm",
    "AuthenticateForm",
    "ChangePasswordForm",
    "InviteForm",
    "LoginForm",
    "PasswordProofForm",
    "PersonForm",
    "PersonalTokenForm",
    "PreferencesForm",
    "ProfileForm",
    "ReauthenticateForm",
    "ResetPasswordForm",
    "ResetPasswordKeyForm",
    "SignupForm",
]
