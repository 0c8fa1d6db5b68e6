"""Writes and sends the mails of accounts; links are made here, at the moment of sending."""

from datetime import datetime
from smtplib import SMTPException

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from apps.core.errors import UnavailableError


class MailServerError(UnavailableError):
    """The mail server does not take the mail now."""

    code = "mail_server_unavailable"
    title = "The mail server does not answer"
    default_detail = "The mail is sent as soon as the mail server takes it."


def link_to_reset(user: AbstractBaseUser) -> str:
    """Return the address at which the person sets a new password."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
    return f"{settings.PUBLIC_URL}{path.replace('UID-KEY', key)}"


def link_to_verify(user: AbstractBaseUser, *, address: str) -> str:
    """Return the address at which the person confirms their mail address, or nothing when that is done."""
    unverified = EmailAddress.objects.filter(user=user, email=address, verified=False).first()
    if unverified is None:
        return ""
    return f"{settings.PUBLIC_URL}{reverse('account_confirm_email', args=[EmailConfirmationHMAC(unverified).key])}"


def send(*, template: str, address: str, context: dict[str, str | datetime]) -> None:
    """Write the mail from its two templates and hand it to the mail server."""
    full = {**context, "public_url": settings.PUBLIC_URL}
    subject = render_to_string(f"accounts/email/{template}_subject.txt", full)
    body = render_to_string(f"accounts/email/{template}_message.txt", full)
    try:
        EmailMessage(subject=" ".join(subject.split()), body=body, to=[address]).send()
    except (SMTPException, OSError) as error:
        raise MailServerError from error
