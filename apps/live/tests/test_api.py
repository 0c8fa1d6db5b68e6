"""The ticket's door: for a browser, a program, a personal token; nobody else; and without Redis."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client, override_settings

from apps.accounts.actions.personal_tokens import make_personal_token
from apps.accounts.actions.program_sessions import open_family
from apps.accounts.domain.grants import Scope
from apps.accounts.domain.origin import NO_REQUEST
from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.core import cache, clock
from apps.live.actions import TICKET_SECONDS, redeem_tickets
from apps.live.domain.bonds import Bond, SignIn
from apps.live.queries import viewers_of

TICKET = "/api/v1/live/ticket"
pytestmark = pytest.mark.django_db


def redeem(secret: str) -> Bond | None:
    """Spend one ticket."""
    return redeem_tickets(secrets=[secret]).get(secret)


def signed_in(user: User, *, checks_csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=checks_csrf)
    client.force_login(user)
    # what allauth does at each sign-in; a session that is not in the person's list gets no ticket
    UserSession.objects.create(
        user=user, ip="127.0.0.1", session_key=str(client.session.session_key), user_agent="test"
    )
    return client


def test_a_browser_gets_a_ticket_bound_to_its_session() -> None:
    user = make_user()
    response = signed_in(user).post(TICKET)
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"ticket", "url", "expires_in"}
    assert body["expires_in"] == TICKET_SECONDS == 30
    assert body["url"] == f"ws://localhost:8001/ws/live?ticket={body['ticket']}"
    assert response["Cache-Control"] == "no-store"
    bond = redeem(body["ticket"])
    assert bond is not None
    assert (bond.user_id, bond.sign_in) == (user.pk, SignIn.SESSION)
    assert viewers_of(bonds=[bond], now=clock.now())
    assert redeem(body["ticket"]) is None


def test_a_program_gets_a_ticket_that_ends_with_its_access_token() -> None:
    user, now = make_user(), clock.now()
    access = open_family(user=user, now=now, request_meta=NO_REQUEST).access
    response = Client().post(TICKET, headers={"authorization": f"Bearer {access}"})
    bond = redeem(response.json()["ticket"])
    assert bond is not None
    assert (bond.user_id, bond.sign_in) == (user.pk, SignIn.FAMILY)
    assert bond.expires_at is not None
    assert timedelta(minutes=29) < bond.expires_at - now <= timedelta(minutes=30)
    assert viewers_of(bonds=[bond], now=now)
    assert not viewers_of(bonds=[bond], now=now + timedelta(minutes=31))


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
def test_a_personal_token_gets_one_with_the_right_to_read(scope: Scope) -> None:
    user, now = make_user(), clock.now()
    _, secret = make_personal_token(
        user=user,
        name="socket",
        scopes=[scope],
        expires_at=now + timedelta(days=1),
        now=now,
        request_meta=NO_REQUEST,
    )
    response = Client().post(TICKET, headers={"authorization": f"Bearer {secret}"})
    assert response.status_code == 200, response.content
    bond = redeem(response.json()["ticket"])
    assert bond is not None
    assert bond.sign_in == SignIn.PERSONAL_TOKEN
    assert viewers_of(bonds=[bond], now=now)


def test_nobody_else_gets_a_ticket() -> None:
    assert Client().post(TICKET).status_code == 401
    assert Client().post(TICKET, headers={"authorization": "Bearer nonsense"}).status_code == 401
    assert signed_in(make_user(), checks_csrf=True).post(TICKET).status_code == 403
    assert signed_in(make_user()).get(TICKET).status_code == 405


def test_without_redis_live_data_is_paused() -> None:
    client = signed_in(make_user())
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        response = client.post(TICKET)
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"] == "5"
    assert response.json()["code"] == "live_paused"
    assert response.json()["title"] == "Live data is paused"


def test_redis_holds_neither_the_ticket_nor_the_session() -> None:
    client = signed_in(make_user())
    ticket = client.post(TICKET).json()["ticket"]
    redis = cache.redis_client()
    stored = "".join(f"{key!r} {redis.get(key)!r}" for key in redis.scan_iter("coinsphere:live:*"))
    assert stored
    assert ticket not in stored
    assert str(client.session.session_key) not in stored
    assert all(0 < redis.ttl(key) <= TICKET_SECONDS for key in redis.scan_iter("coinsphere:live:*"))


def test_nobody_waits_for_a_redis_that_is_known_to_be_away(monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(make_user())
    cache.health.failed()
    monkeypatch.setattr("apps.live.actions.redis_client", lambda: pytest.fail("asked Redis"))
    assert client.post(TICKET).status_code == 503
