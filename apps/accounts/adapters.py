"""What allauth asks of the product: its pages act through the same actions as the API."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from apps.accounts.actions import mail, sessions, sign_in
from apps.accounts.domain.grants import RECENT, Grant
from apps.accounts.domain.mail import SAME_AS, MailKind
from apps.accounts.domain.origin import RequestMeta
from apps.accounts.gateways import device_tokens
from apps.accounts.models import User
from apps.accounts.queries import Registration, registration_state
from apps.core import clock, vault
from apps.core.api.throttles import client_address
from apps.core.errors import ProductError, TooManyError
from apps.core.logs import current_request_id

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

DEVICE_COOKIE = "coinsphere_device"
RETRY_AFTER_MARK = "coinsphere.retry_after"
_LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "[::1]"}
_LOOPBACK_ADDRESSES = {"127.0.0.1", "::1"}
_SEAL_PLACE = vault.Place(owner="accounts", record="authenticator", field="secret")


def request_meta(request: HttpRequest, *, device_token: str = "") -> RequestMeta:
    """Return what the log and the list of sessions want to know of a request."""
    return RequestMeta(
        network_address=client_address(request),
        device=request.META.get("HTTP_USER_AGENT", "")[:200].replace("\x00", ""),
        request_id=current_request_id(),
        device_token=device_token or request.COOKIES.get(DEVICE_COOKIE, ""),
    )


def refuse_plain_http(request: HttpRequest) -> None:
    """Raise where a password would travel readable through a network."""
    if settings.ALLOW_PLAIN_HTTP or request.is_secure():
        return
    host = request.get_host().rsplit(":", 1)[0] if not request.get_host().endswith("]") else request.get_host()
    is_direct = "HTTP_X_FORWARDED_FOR" not in request.META
    if host in _LOOPBACK_HOSTS or (is_direct and request.META.get("REMOTE_ADDR") in _LOOPBACK_ADDRESSES):
        return
    raise sign_in.PlainHttpRefusedError


def session_grant(request: HttpRequest) -> Grant:
    """Return what a browser's session may do, and when its person last proved who they are."""
    records = get_authentication_records(request, request.user)
    latest = max((record["at"] for record in records), default=None)
    return Grant(authenticated_at=None if latest is None else datetime.fromtimestamp(latest, tz=UTC))


def renew_session_proof(request: HttpRequest) -> None:
    """Note in a browser's session that its person has just proved again who they are."""
    record_authentication(request, request.user, method="password", reauthenticated=True)


def keep_session(request: HttpRequest, user: User) -> None:
    """Keep a browser signed in after its person changed the password."""
    update_session_auth_hash(request, user)


def form_error(request: HttpRequest, error: ProductError) -> ValidationError:
    """Return the error as a form shows it; the answer's status is set by the middleware."""
    if isinstance(error, TooManyError):
        request.META[RETRY_AFTER_MARK] = error.retry_after or 60
    return ValidationError(error.detail, code=error.code)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Signs in, registers and tells people through our actions."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        invited = bool(request.GET.get("invite") or request.POST.get("invite"))
        return invited or registration_state() is Registration.OPEN

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:  # noqa: ANN401
        try:
            refuse_plain_http(request)
            return sign_in.check_password(
                email=credentials.get("email", ""),
                password=credentials.get("password", ""),
                now=clock.now(),
                request_meta=request_meta(request),
            )
        except sign_in.CredentialsRefusedError:
            return None
        except ProductError as error:
            raise form_error(request, error) from error

    def reauthenticate(self, user: User, password: str) -> bool:
        request = context.request
        try:
            sign_in.prove_identity(
                user=user, password=password, code="", now=clock.now(), request_meta=request_meta(request)
            )
        except sign_in.ProofRefusedError:
            return False
        except ProductError as error:
            raise form_error(request, error) from error
        return True

    def is_reauthentication_required(self, *, app: str, **_options: object) -> bool:
        """Ask again only when the last proof, the sign-in included, is older than ten minutes."""
        records = get_authentication_records(context.request, context.request.user)
        return not any(time.time() - record["at"] < RECENT.total_seconds() for record in records) and bool(app)

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        sign_in.note_sign_in(user=user, via="session", door="page", now=clock.now(), request_meta=request_meta(request))

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
            user=user, notice=SAME_AS.get(name, name), now=clock.now(), request_meta=request_meta(self.request)
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
            request_meta=request_meta(request),
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        address = client_address(request)
        return "0.0.0.0" if address == "unknown" else address  # noqa: S104 - shown for a caller without an address


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seals the secrets of authenticators, and says who we are to authenticators."""

    def encrypt(self, text: str) -> str:
        sealed = vault.seal(ring=vault.key_ring(), secret=vault.Secret(text), place=_SEAL_PLACE)
        return base64.b64encode(sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        sealed = base64.b64decode(encrypted_text)
        return vault.unseal(ring=vault.key_ring(), sealed=sealed, place=_SEAL_PLACE).reveal()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": settings.PUBLIC_HOST, "name": "Coinsphere"}

    def _get_site_name(self) -> str:
        return "Coinsphere"
