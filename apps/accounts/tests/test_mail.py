"""Mails are work in rows: sent once, later when the mail server is away, and never to an account that is not there."""

from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from apps.accounts import tasks
from apps.accounts.actions.housekeeping import tidy
from apps.accounts.actions.mail import order_mail, order_notice
from apps.accounts.domain.mail import NOTICES, MailKind
from apps.accounts.domain.origin import RequestMeta
from apps.accounts.models import Ceremony, FailedAttempt, Letter, RefreshFamily
from apps.accounts.tests.factories import Api, make_tokens, make_user
from apps.core import clock
from apps.core.testing import SentTask, run_on_commit

pytestmark = pytest.mark.django_db


def _order_and_send(sent_tasks: list[SentTask], **order: Any) -> Letter:
    with run_on_commit():
        order_mail(now=clock.now(), **order)
    (task,) = [task for task in sent_tasks if task.name == "accounts.run_letter"]
    assert task.queue == "notify"
    tasks.run_letter(**task.keywords)
    return Letter.objects.get()


def test_a_link_to_confirm_the_address_is_mailed(sent_tasks: list[SentTask]) -> None:
    user = make_user(verified=False)
    letter = _order_and_send(sent_tasks, kind=MailKind.VERIFY, user=user, address=user.email)
    (message,) = mail.outbox
    assert message.to == [user.email]
    assert "http://localhost:8000/account/confirm-email/" in message.body
    assert letter.state == "succeeded"


def test_a_link_to_a_new_password_is_mailed_and_stored_nowhere(sent_tasks: list[SentTask]) -> None:
    user = make_user()
    letter = _order_and_send(sent_tasks, kind=MailKind.PASSWORD_RESET, user=user, address=user.email)
    (message,) = mail.outbox
    path = message.body.partition("http://localhost:8000/account/")[2].split()[0]
    assert path.rstrip("/").rsplit("/", 1)[1] not in str(Letter.objects.values().get())
    key = path.rstrip("/").rsplit("/", 1)[1]
    values = {"key": key, "new_password": "quite another long password"}
    assert Api().post("auth/password/reset/confirm", values).status_code == 204
    assert letter.state == "succeeded"


@pytest.mark.parametrize("kind", list(MailKind))
def test_nobody_gets_no_mail(kind: MailKind, sent_tasks: list[SentTask]) -> None:
    letter = _order_and_send(sent_tasks, kind=kind, user=None, address="nobody@example.com")
    assert letter.state == "succeeded"
    assert not mail.outbox


def test_a_mail_is_sent_once(sent_tasks: list[SentTask]) -> None:
    user = make_user()
    letter = _order_and_send(sent_tasks, kind=MailKind.PASSWORD_RESET, user=user, address=user.email)
    tasks.run_letter(work_id=str(letter.pk))
    assert len(mail.outbox) == 1


def test_a_mail_waits_for_the_mail_server(sent_tasks: list[SentTask], monkeypatch: pytest.MonkeyPatch) -> None:
    def _refuse(*_args: object) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "send_messages", _refuse)
    user = make_user()
    letter = _order_and_send(sent_tasks, kind=MailKind.PASSWORD_RESET, user=user, address=user.email)
    assert (letter.state, letter.problem_code) == ("waiting", "mail_server_unavailable")


@pytest.mark.parametrize("notice", list(NOTICES))
def test_every_notice_says_what_happened_and_from_where(notice: str, sent_tasks: list[SentTask]) -> None:
    meta = RequestMeta(network_address="203.0.113.9", device="Firefox")
    user = make_user()
    with run_on_commit():
        order_notice(user=user, notice=notice, now=clock.now(), request_meta=meta)
    tasks.run_letter(**sent_tasks[-1].keywords)
    (message,) = mail.outbox
    assert NOTICES[notice] in message.body
    assert "203.0.113.9 (Firefox)" in message.body
    assert message.subject == "A change to your account"


def test_what_nobody_needs_any_more_is_deleted(time_machine: Any, sent_tasks: list[SentTask]) -> None:
    time_machine.move_to("2026-09-01T12:00:00Z", tick=False)
    user = make_user()
    make_tokens(user=user)
    Api().post("auth/passkey/options")
    Api().post("auth/login", {"email": user.email, "password": "wrong"})
    _order_and_send(sent_tasks, kind=MailKind.PASSWORD_RESET, user=user, address=user.email)
    tables = (Letter, Ceremony, FailedAttempt, RefreshFamily)
    assert all(table._default_manager.exists() for table in tables)
    tidy(now=clock.now())
    assert all(table._default_manager.exists() for table in tables)
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    tasks.tidy()
    assert not any(table._default_manager.exists() for table in tables)
