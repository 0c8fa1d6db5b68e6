"""Forms of the sign-in pages: allauth's, with our actions and our words behind them."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account_forms
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as passkey_forms
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.actions import authenticators, passwords, registration, sign_in
from apps.accounts.actions.callers import form_error, refuse_plain_http, request_meta
from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import ProductError

_MISMATCH = "email_password_mismatch"


class _Plain:
    """Takes away what allauth writes into and under empty fields: the page says what goes there."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - allauth's signature
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
            field.help_text = ""


class LoginForm(_Plain, account_forms.LoginForm):  # type: ignore[misc]
    """Signs in with address and password; a refusal stands under the password."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - allauth's signature
        super().__init__(*args, **options)
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"
        self.fields["remember"].initial = True

    def clean(self) -> dict[str, Any]:
        """Say in place that the two do not match, whichever of them is wrong."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except forms.ValidationError as error:
            if getattr(error, "code", "") != _MISMATCH:
                raise
            self.add_error("password", forms.ValidationError(_("Email and password do not match."), code=_MISMATCH))
            return dict(self.cleaned_data)
        return cleaned


class PasswordProofForm(_Plain, account_forms.ReauthenticateForm):  # type: ignore[misc]
    """The password as a proof of who is signed in."""


class ChangePasswordForm(_Plain, account_forms.ChangePasswordForm):  # type: ignore[misc]
    """Asks for the new password once: what is typed can be looked at."""

    password2 = None


class ResetPasswordKeyForm(_Plain, account_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """Asks for the new password once: what is typed can be looked at."""

    password2 = None

    def clean(self) -> dict[str, Any]:
        """Refuse a password that came readable through a network."""
        try:
            refuse_plain_http(request=context.request)
        except ProductError as error:
            raise form_error(request=context.request, error=error) from error
        cleaned: dict[str, Any] = super().clean()
        return cleaned


class SignupForm(_Plain, account_forms.SignupForm):  # type: ignore[misc]
    """Registers through the same action as the API."""

    display_name = forms.CharField(label=_("Your name (optional)"), max_length=80, required=False)
    invite = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)
    field_order = ["email", "display_name", "password1", "invite"]
    registered: User | None = None

    def validate_unique_email(self, value: str) -> str:
        return value

    def clean(self) -> dict[str, Any]:
        """Register once every field is good, so that a refusal stands in the form."""
        cleaned: dict[str, Any] = super().clean()
        if not self.errors:
            self._register(cleaned)
        return cleaned

    def _register(self, cleaned: dict[str, Any]) -> None:
        request = context.request
        try:
            refuse_plain_http(request=request)
            self.registered = registration.register(
                email=cleaned["email"],
                password=cleaned["password1"],
                display_name=cleaned.get("display_name", ""),
                invite=cleaned.get("invite", ""),
                now=clock.now(),
                request_meta=request_meta(request=request),
            )
        except registration.EmailTakenError as error:
            self.add_error("email", form_error(request=request, error=error))
        except registration.PasswordRefusedError as error:
            self.add_error("password1", form_error(request=request, error=error))
        except ProductError as error:
            self.add_error(None, form_error(request=request, error=error))

    def save(self, request: HttpRequest) -> User | None:  # noqa: ARG002 - allauth's signature
        return self.registered


class ResetPasswordForm(_Plain, account_forms.ResetPasswordForm):  # type: ignore[misc]
    """Orders the mail with the link; says the same whether there is such an account or not."""

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean(self) -> dict[str, Any]:
        """Order the mail, so that a refusal stands in the form."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        request = context.request
        try:
            passwords.request_password_reset(
                email=cleaned["email"], now=clock.now(), request_meta=request_meta(request=request)
            )
        except ProductError as error:
            raise form_error(request=request, error=error) from error
        return cleaned

    def save(self, request: HttpRequest, **_options: object) -> str:  # noqa: ARG002 - allauth's signature
        return str(self.cleaned_data["email"])


class AddEmailForm(_Plain, account_forms.AddEmailForm):  # type: ignore[misc]
    """Refuses an address that is another person's sign-in name."""

    def clean_email(self) -> str:
        email = str(super().clean_email())
        if User.objects.with_email(email).exclude(pk=self.user.pk).exists():
            raise forms.ValidationError(_("This address belongs to another account."), code="email_taken")
        return email


class _CodeMixin:
    """Checks a code through our action, with its budget of wrong tries."""

    user: User
    cleaned_data: dict[str, Any]
    authenticator: Authenticator

    def clean_code(self) -> str:
        request = context.request
        code = str(self.cleaned_data["code"]).strip()
        try:
            used = sign_in.check_second_factor(
                user=self.user, code=code, now=clock.now(), request_meta=request_meta(request=request)
            )
        except ProductError as error:
            raise form_error(request=request, error=error) from error
        self.authenticator = Authenticator.objects.get(pk=used)
        return code


class AuthenticateForm(_Plain, _CodeMixin, mfa_forms.AuthenticateForm):  # type: ignore[misc]
    """The second factor at sign-in."""


class ReauthenticateForm(_Plain, _CodeMixin, mfa_forms.ReauthenticateForm):  # type: ignore[misc]
    """The second factor as a proof of who is signed in."""


class ActivateTotpForm(_Plain, totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an authenticator app; it does not sign anybody in afterwards."""

    def clean_code(self) -> str:
        code = str(super().clean_code())
        if not authenticators.spend_totp(user=self.user, code=code, now=clock.now()):
            raise get_adapter().validation_error("incorrect_code")
        return code


class AddPasskeyForm(_Plain, passkey_forms.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey under the name that its owner gives it."""

    name = forms.CharField(label=_("Name"), max_length=80, required=False)
