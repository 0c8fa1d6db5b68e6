"""What two requests at the same moment, or a stale right, must not be able to do."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from apps.accounts.actions import passwords
from apps.accounts.actions.people import change_role, delete_account
from apps.accounts.domain.grants import Scope
from apps.accounts.domain.origin import NO_REQUEST
from apps.accounts.gateways.mail import link_to_reset
from apps.accounts.models import Role, User
from apps.accounts.tests.factories import (
    PASSWORD,
    Api,
    api_of,
    body_of,
    make_owner,
    make_personal_token,
    make_totp,
    make_user,
    totp_code,
)
from apps.core import clock
from apps.core.errors import DeniedError, ProductError

pytestmark = pytest.mark.usefixtures("sent_tasks")
NEW = "another battery staple horse"


def _at_once(*acts: Callable[[], object]) -> list[Exception]:
    """Run the acts in threads that start together; return what they raised."""
    start = threading.Barrier(len(acts))
    raised: list[Exception] = []

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 - what a thread raises is what the test looks at
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("repetition", range(5))
def test_two_owners_who_unmake_each_other_at_once_leave_one(repetition: int) -> None:
    one, other = make_owner(), make_owner()

    def unmake(actor: User, person: User) -> None:
        change_role(actor=actor, person_id=person.pk, role=Role.MEMBER, now=clock.now(), request_meta=NO_REQUEST)

    raised = _at_once(lambda: unmake(one, other), lambda: unmake(other, one))
    assert len(raised) == 1
    assert isinstance(raised[0], ProductError)
    assert User.objects.owners().count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("repetition", range(5))
def test_two_owners_who_go_at_once_leave_one(repetition: int) -> None:
    make_user()
    one, other = make_owner(), make_owner()

    def leave(person: User) -> None:
        delete_account(user=person, now=clock.now(), request_meta=NO_REQUEST)

    raised = _at_once(lambda: leave(one), lambda: leave(other))
    assert [getattr(error, "code", error) for error in raised] == ["last_owner"]
    assert User.objects.owners().count() == 1


@pytest.mark.django_db
def test_a_right_that_was_taken_away_meanwhile_is_not_used() -> None:
    make_owner()
    actor, person = make_owner(), make_user()
    User.objects.filter(pk=actor.pk).update(role=Role.ADMIN)
    with pytest.raises(DeniedError):
        change_role(actor=actor, person_id=person.pk, role=Role.OWNER, now=clock.now(), request_meta=NO_REQUEST)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "later"),
    [
        ("member", {"is_active": False}),
        ("member", {"role": Role.MEMBER}),
        ("admin", {"role": Role.ADMIN}),
    ],
)
def test_an_invite_is_worth_what_its_maker_may_do_now(role: str, later: dict[str, object]) -> None:
    maker = make_owner()
    make_owner()
    token = body_of(api_of(maker).post("invites", {"role": role}))["token"]
    User.objects.filter(pk=maker.pk).update(**later)
    values = {"email": "new@example.com", "password": NEW, "invite": token}
    assert body_of(Api().post("auth/register", values))["code"] == "invite_refused"


@pytest.mark.django_db
def test_a_personal_token_gives_nobody_a_role() -> None:
    api = Api(token=make_personal_token(user=make_owner(), scopes=(Scope.ADMIN,)))
    person = make_user()
    assert body_of(api.patch(f"people/{person.pk}", {"role": "owner"}))["code"] == "personal_token_refused"
    assert api.get(f"people/{person.pk}").status_code == 200


@pytest.mark.django_db
def test_a_code_counts_once_for_as_long_as_it_is_right(time_machine: Any) -> None:
    start = clock.now()
    time_machine.move_to(start.replace(second=1), tick=False)
    user = make_user()
    code = totp_code(make_totp(user=user))
    statuses = []
    for seconds in (1, 31, 41):
        time_machine.move_to(start.replace(second=1) + timedelta(seconds=seconds), tick=False)
        ticket = body_of(Api().post("auth/login", {"email": user.email, "password": PASSWORD}))["ticket"]
        statuses.append(Api().post("auth/mfa/verify", {"ticket": ticket, "code": code}).status_code)
    assert statuses == [200, 401, 401]


@pytest.mark.django_db
def test_who_got_half_way_in_with_an_old_password_gets_no_further() -> None:
    user = make_user()
    secret = make_totp(user=user)
    ticket = body_of(Api().post("auth/login", {"email": user.email, "password": PASSWORD}))["ticket"]
    key = link_to_reset(user).rstrip("/").rsplit("/", 1)[-1]
    assert Api().post("auth/password/reset/confirm", {"key": key, "new_password": NEW}).status_code == 204
    assert Api().post("auth/mfa/verify", {"ticket": ticket, "code": totp_code(secret)}).status_code == 401


@pytest.mark.django_db
def test_a_key_that_is_spent_while_the_password_is_hashed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    key = link_to_reset(user).rstrip("/").rsplit("/", 1)[-1]

    def somebody_is_faster(**_values: object) -> None:
        present = User.objects.get(pk=user.pk)
        present.set_password("the password of who was faster")
        present.save()

    monkeypatch.setattr(passwords, "check_new_password", somebody_is_faster)
    with pytest.raises(passwords.ResetKeyRefusedError):
        passwords.reset_password(key=key, password=NEW, now=clock.now(), request_meta=NO_REQUEST)
    assert User.objects.get(pk=user.pk).check_password("the password of who was faster")


@pytest.mark.django_db
def test_one_network_of_ipv6_is_one_stranger(settings: Settings) -> None:
    settings.ALLOW_PLAIN_HTTP = True
    wrong = {"password": "not the password"}
    for number in range(10):
        address = f"2001:db8::{number + 1:x}"
        answer = Api().post("auth/login", {"email": f"p{number}@example.com", **wrong}, REMOTE_ADDR=address)
        assert answer.status_code == 401
    assert Api().post("auth/login", {"email": "q@example.com", **wrong}, REMOTE_ADDR="2001:db8::ff").status_code == 429
