"""Orders mails, and sends what was ordered."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext

from apps.accounts.actions.audit import record_audit
from apps.accounts.domain.mail import NOTICES, MailKind, audit_action
from apps.accounts.domain.origin import NO_REQUEST, RequestMeta
from apps.accounts.gateways import mail
from apps.accounts.models import Letter, User
from apps.core import jobs


def order_mail(
    *,
    kind: MailKind,
    user: User | None,
    address: str,
    now: datetime,
    notice: str = "",
    request_meta: RequestMeta = NO_REQUEST,
) -> None:
    """Order a mail. For an address without an account the same work is done, and nothing is sent in the end."""
    letter = Letter(
        about=kind,
        notice=notice,
        person=user,
        address=address,
        network_address=request_meta.network_address[:45],
        device=request_meta.device[:200],
        created_at=now,
    )
    jobs.enqueue(work=letter, now=now)


def order_notice(*, user: User, notice: str, now: datetime, request_meta: RequestMeta) -> None:
    """Tell a person by mail what was done to their account."""
    order_mail(kind=MailKind.NOTICE, user=user, address=user.email, notice=notice, now=now, request_meta=request_meta)


def note_account_act(*, user: User, notice: str, now: datetime, request_meta: RequestMeta) -> None:
    """Write down what a page of allauth has done to an account, and tell the person."""
    record_audit(actor=user, action=audit_action(notice), now=now, request_meta=request_meta)
    order_notice(user=user, notice=notice, now=now, request_meta=request_meta)


def send_letter(*, letter_id: UUID | None, worker: str, now: datetime) -> bool:
    """Send one mail that is due; false when there was none to take, or it could not be sent yet."""
    lease = jobs.claim(model=Letter, work_id=letter_id, worker=worker, now=now)
    return jobs.run(lease=lease, handler=lambda held: _send(held.work))


def _send(letter: Letter) -> None:
    person = letter.person
    if person is None or not person.is_active:
        return
    context: dict[str, str | datetime] = {"name": str(person), "at": letter.created_at}
    if letter.about == MailKind.PASSWORD_RESET:
        context["link"] = mail.link_to_reset(person)
    elif letter.about == MailKind.VERIFY:
        context["link"] = mail.link_to_verify(person, address=letter.address)
        if not context["link"]:
            return
    else:
        sentence = gettext(NOTICES.get(letter.notice, "Something about your account was changed."))
        context |= {"sentence": sentence, "network_address": letter.network_address, "device": letter.device}
    mail.send(template=letter.about, address=letter.address, context=context)
