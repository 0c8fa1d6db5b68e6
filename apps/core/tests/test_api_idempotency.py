"""A POST that creates may be sent again: one effect, the same answer, for a day."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from pytest_django import Settings

from apps.core import clock
from apps.core.api import idempotency
from apps.core.models import IdempotencyKey
from apps.core.tasks import forget_idempotency_keys
from apps.core.tests import api_doors
from apps.core.tests.api_doors import User, make_user

pytestmark = [pytest.mark.urls("apps.core.tests.api_doors"), pytest.mark.django_db]

FORM = "application/x-www-form-urlencoded"
KEY = {"Idempotency-Key": "key-1"}


@pytest.fixture(autouse=True)
def _no_effects() -> Iterator[None]:
    api_doors.effects.clear()
    yield
    api_doors.effects.clear()


@pytest.fixture
def api() -> Client:
    return Client(raise_request_exception=False)


def post(api: Client, body: object, *, key: str | None = "key-1", path: str = "/api/orders") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post(path, body, content_type="application/json", headers=headers)


def test_without_a_key_every_request_counts(api: Client) -> None:
    assert post(api, {"name": "a"}, key=None).json() != post(api, {"name": "a"}, key=None).json()


def test_the_same_request_has_one_effect_and_one_answer(api: Client) -> None:
    first = post(api, {"name": "a", "size": 1})
    again = post(api, b'{ "size":1,   "name":"\\u0061" }')
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again["Content-Type"] == "application/json"
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert api_doors.effects == ["a"]


def test_another_body_under_the_same_key_is_a_conflict(api: Client) -> None:
    post(api, {"name": "a"})
    refused = post(api, {"name": "b"})
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused")
    assert api_doors.effects == ["a"]


def test_keys_belong_to_one_person_and_one_path(api: Client) -> None:
    post(api, {"name": "a"})
    post(api, {"name": "a"}, path="/api/secrets")
    other = Client(raise_request_exception=False)
    other.force_login(make_user())
    assert post(other, {"name": "a"}).json()["number"] == 3


def test_a_failed_request_may_be_sent_again(api: Client) -> None:
    assert post(api, {"name": "a", "fail": True}).status_code == 409
    assert not User.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert post(api, {"name": "b"}).status_code == 201


@pytest.mark.parametrize("status", [400, 429, 503])
def test_an_answer_that_says_no_is_not_kept(api: Client, status: int) -> None:
    assert [post(api, {"name": "a", "answer": status}).status_code for _try in range(2)] == [status, status]
    assert api_doors.effects == ["a", "a"]
    assert not IdempotencyKey.objects.exists()


def test_a_repeated_answer_is_kept_nowhere_else(api: Client) -> None:
    post(api, {"name": "a"}, path="/api/secrets")
    assert post(api, {"name": "a"}, path="/api/secrets")["Cache-Control"] == "no-store"


def test_values_under_one_name_all_count(api: Client) -> None:
    assert api.post("/api/forms", "name=a&tag=1&tag=2", content_type=FORM, headers=KEY).status_code == 201
    assert api.post("/api/forms", "name=a&tag=3&tag=2", content_type=FORM, headers=KEY).status_code == 409


def test_a_request_in_flight_is_not_started_twice(api: Client) -> None:
    post(api, {"name": "a"})
    later = clock.now() + timedelta(seconds=30)
    IdempotencyKey.objects.update(status=None, answer=None, claimed_until=later)
    refused = post(api, {"name": "a"})
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (409, "request_in_flight", "1")


def test_a_killed_request_is_taken_over_after_a_minute(api: Client) -> None:
    post(api, {"name": "a"})
    claimed = IdempotencyKey.objects.get()
    assert timedelta(seconds=59) < claimed.claimed_until - claimed.created_at <= timedelta(seconds=60)
    User.objects.all().delete()  # the transaction of the killed process left nothing
    IdempotencyKey.objects.update(status=None, answer=None, claimed_until=clock.now() - timedelta(seconds=1))
    assert post(api, {"name": "a"}).status_code == 201
    assert User.objects.count() == 1


def test_whoever_lost_its_claim_has_no_effect(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    real = api_doors.order

    def slow(request: Any) -> Any:
        answer = real(request)
        IdempotencyKey.objects.update(claim=make_user().pk)
        return answer

    monkeypatch.setattr(api_doors, "order", slow)
    assert post(api, {"name": "a"}).status_code == 409
    assert not User.objects.filter(email__startswith="a").exists()


def test_an_answer_with_a_secret_is_sealed(api: Client, settings: Settings) -> None:
    first = post(api, {"name": "a"}, path="/api/secrets")
    row = IdempotencyKey.objects.get()
    assert row.is_sealed
    assert b"canary" not in bytes(row.answer or b"")
    assert post(api, {"name": "a"}, path="/api/secrets").content == first.content
    other = post(api, {"name": "b"}, key="key-2", path="/api/secrets")
    assert other.status_code == 201
    stolen = IdempotencyKey.objects.exclude(pk=row.pk).get()
    IdempotencyKey.objects.filter(pk=row.pk).update(answer=stolen.answer)
    assert post(api, {"name": "a"}, path="/api/secrets").status_code == 503


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "caf\u00e9"])
def test_a_key_has_to_be_sane(key: str, api: Client) -> None:
    answer = post(api, {"name": "a"}, key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_idempotency_key")


def test_keys_are_forgotten_after_a_day(api: Client) -> None:
    post(api, {"name": "a"})
    assert idempotency.forget_keys(now=clock.now() + timedelta(hours=23)) == 0
    IdempotencyKey.objects.update(created_at=clock.now() - timedelta(hours=25))
    assert post(api, {"name": "b"}).status_code == 201  # an old key means nothing, swept or not
    IdempotencyKey.objects.update(created_at=clock.now() - timedelta(hours=25))
    forget_idempotency_keys.run()
    assert not IdempotencyKey.objects.exists()


def test_keys_go_with_the_account() -> None:
    user, api = make_user(), Client()
    api.force_login(user)
    post(api, {"name": "a"})
    assert IdempotencyKey.objects.get().owner_id == user.pk
    user.delete()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_have_one_effect() -> None:
    statuses: list[int] = []

    def send() -> None:
        try:
            statuses.append(post(Client(raise_request_exception=False), {"name": "a"}).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert api_doors.effects == ["a"]
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
