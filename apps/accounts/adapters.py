"""What allauth asks of the product: its pages act through the same actions as the API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.accounts.actions import authenticators, mail, sessions, sign_in
from apps.accounts.actions.callers import DEVICE_COOKIE, form_error, refuse_plain_http, request_meta
from apps.accounts.domain.grants import RECENT
from apps.accounts.domain.mail import SAME_AS, MailKind
from apps.accounts.gateways import device_tokens
from apps.accounts.models import User
from apps.accounts.queries import Registration, registration_state, sealed_owner
from apps.core import clock, vault
from apps.core.api.throttles import client_address
from apps.core.errors import ProductError

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Signs in, registers and tells people through our actions."""

    error_messages: ClassVar[dict[str, object]] = {
        **DefaultAccountAdapter.error_messages,
        "enter_current_password": _("This is not your current password."),
    }

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        **options: Any,  # noqa: ANN401 - the library's signature
    ) -> None:
        """Say something on the next page; whether mail leaves this machine is part of the truth."""
        known = {**(message_context or {}), "mail_leaves": not settings.EMAIL_BACKEND.endswith("console.EmailBackend")}
        super().add_message(request, level, message_template, known, **options)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        invited = bool(request.GET.get("invite") or request.POST.get("invite"))
        return invited or registration_state() is Registration.OPEN

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:  # noqa: ANN401
        try:
            refuse_plain_http(request=request)
            return sign_in.check_password(
                email=credentials.get("email", ""),
                password=credentials.get("password", ""),
                now=clock.now(),
                request_meta=request_meta(request=request),
            )
        except sign_in.CredentialsRefusedError:
            return None
        except ProductError as error:
            raise form_error(request=request, error=error) from error

    def reauthenticate(self, user: User, password: str) -> bool:
        request = context.request
        try:
            sign_in.prove_identity(
                user=user, password=password, code="", now=clock.now(), request_meta=request_meta(request=request)
            )
        except sign_in.ProofRefusedError:
            return False
        except ProductError as error:
            raise form_error(request=request, error=error) from error
        return True

    def is_reauthentication_required(self, *, app: str, **_options: object) -> bool:
        """Ask again only when the last proof, the sign-in included, is older than ten minutes."""
        records = get_authentication_records(context.request, context.request.user)
        return not any(time.time() - record["at"] < RECENT.total_seconds() for record in records) and bool(app)

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        if not get_authentication_records(request, user):  # just registered: the password was typed a moment ago
            record_authentication(request, user, method="password")
        sign_in.note_sign_in(
            user=user, via="session", door="page", now=clock.now(), request_meta=request_meta(request=request)
        )

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse:  # noqa: ANN401
        response: HttpResponse = super().post_login(request, user, **options)
        response.set_cookie(
            DEVICE_COOKIE,
            device_tokens.mark(request.COOKIES.get(DEVICE_COOKIE, ""), email=user.email),
            max_age=int(device_tokens.AGE.total_seconds()),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        session_key = self.request.session.session_key if self.request and self.request.user == user else ""
        sessions.end_everything(user=user, reason="password", but_session=session_key or "", now=clock.now())

    def send_notification_mail(
        self, template_prefix: str, user: User, context: object = None, email: str | None = None
    ) -> None:
        """Write down what a page has done, and tell the person."""
        del context, email
        name = template_prefix.rsplit("/", 1)[-1]
        mail.note_account_act(
            user=user, notice=SAME_AS.get(name, name), now=clock.now(), request_meta=request_meta(request=self.request)
        )

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:  # noqa: ANN401, FBT001
        """Order the mail that confirms an address; registering has ordered it already."""
        if signup:
            return
        address = emailconfirmation.email_address
        mail.order_mail(
            kind=MailKind.VERIFY,
            user=address.user,
            address=address.email,
            now=clock.now(),
            request_meta=request_meta(request=request),
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        address = client_address(request)
        return "0.0.0.0" if address == "unknown" else address  # noqa: S104 - shown for a caller without an address


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seals the secrets of authenticators, and says who we are to authenticators."""

    def encrypt(self, text: str) -> str:
        """Seal for the person whose authenticator is being made: the one at hand, on a page the one signed in."""
        return authenticators.sealed(user_id=authenticators.owner_at_hand() or context.request.user.pk, secret=text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open for the person whose row holds the text; one that was put into another's row does not open."""
        owner = sealed_owner(text=encrypted_text)
        if owner is None:
            raise vault.VaultError
        return authenticators.unsealed(user_id=owner, text=encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": settings.PUBLIC_HOST, "name": "Coinsphere"}

    def _get_site_name(self) -> str:
        return "Coinsphere"
