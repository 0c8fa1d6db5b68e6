"""Pages of the exchanges: what they show, what they ask first, and that nothing secret comes back."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from apps.accounts.models import User
from apps.accounts.tests.factories import PASSWORD, make_user
from apps.core import clock
from apps.exchanges.actions.connecting import pause
from apps.exchanges.actions.guarding import refuse_key
from apps.exchanges.gateways.errors import CredentialsRejectedError, KeyCanWithdrawError
from apps.exchanges.models import Connection, StreamState, SyncRun
from apps.exchanges.tests.factories import make_connection, make_secrets
from apps.exchanges.tests.simulated import Simulated
from apps.portfolios.tests.factories import make_default

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]
HTMX = {"HX-Request": "true"}
PASTE = "/exchanges/connect/binance/"


def browser_of(user: User) -> Client:
    """Return a browser in which somebody signed in a moment ago."""
    client = Client()
    assert client.post("/account/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def user() -> User:
    """Return a person."""
    return make_user()


@pytest.fixture
def browser(user: User) -> Client:
    """Return their browser."""
    return browser_of(user)


def text(answer: Any) -> str:
    """Return what a page says."""
    assert answer.status_code in {200, 422}, answer
    return str(answer.content.decode())


def key(simulated: Simulated, rights: str = "read") -> dict[str, str]:
    """Return what is pasted for one of the simulator's accounts."""
    label = next(one["label"] for one in simulated.ask("binance", "accounts") if one["rights"] == rights)
    return {name: secret.reveal() for name, secret in simulated.secrets("binance", label).items()}


def test_without_a_connection_every_page_leads_to_the_first_one(browser: Client) -> None:
    for address in ("/exchanges/", "/", "/portfolio/"):
        assert reverse("exchanges:choose") in text(browser.get(address))
    assert PASTE in text(browser.get("/exchanges/connect/"))
    assert browser.get("/exchanges/connect/nowhere/").status_code == 404


def test_a_key_is_tested_kept_and_never_told_again(browser: Client, user: User, simulated: Simulated) -> None:
    pasted = key(simulated)
    tested = text(browser.post(PASTE, {**pasted, "label": "Savings", "do": "test"}, headers=HTMX))
    assert "The key can only read." in tested
    assert 'value="keep"' in tested
    assert not Connection.objects.exists()
    kept = browser.post(PASTE, {**pasted, "label": "Savings", "do": "keep"}, headers=HTMX)
    assert kept.headers["HX-Redirect"] == "/exchanges/"
    connection = Connection.objects.get(owner=user)
    addresses = ("/exchanges/", f"/exchanges/{connection.pk}/", f"/exchanges/{connection.pk}/key/")
    said = tested + "".join(text(browser.get(address)) for address in addresses)
    assert "Savings" in said
    assert not [name for name, secret in pasted.items() if secret in said]


def test_what_is_refused_says_why_and_asks_to_paste_again(browser: Client, simulated: Simulated) -> None:
    pasted = key(simulated, "withdraw")
    for do in ("test", "keep"):
        for headers in ({}, HTMX):
            page = text(browser.post(PASTE, {**pasted, "do": do}, headers=headers))
            assert KeyCanWithdrawError.default_detail in page
            assert not [name for name, secret in pasted.items() if secret in page]
            assert headers or "Paste the key again" in page
    assert "Paste every part of the key" in text(browser.post(PASTE, {"api_key": "x", "do": "test"}, headers=HTMX))
    assert not Connection.objects.exists()


def test_a_form_that_came_too_late_is_kept_nowhere(browser: Client, time_machine: Any) -> None:
    pasted = {name: secret.reveal() for name, secret in make_secrets().items()}
    time_machine.move_to(clock.now(), tick=False)
    time_machine.shift(11 * 60)
    assert browser.get(PASTE).headers["Location"].startswith("/account/reauthenticate/")
    assert browser.post(PASTE, {**pasted, "do": "keep"}).headers["Location"] == PASTE
    assert browser.post(PASTE, {**pasted, "do": "keep"}, headers=HTMX).headers["HX-Redirect"] == PASTE
    kept = str([session.get_decoded() for session in Session.objects.all()])
    assert not [name for name, secret in pasted.items() if secret in kept]


def test_a_newcomer_can_try_with_the_simulator_s_keys(browser: Client, simulated: Simulated, settings: Any) -> None:
    settings.FEED = "simulator"
    assert 'id="demo-form"' in text(browser.get(PASTE))
    label = next(one["label"] for one in simulated.ask("binance", "accounts") if one["rights"] == "read")
    assert browser.post(PASTE, {"demo": label, "do": "keep"}).status_code == 302
    assert Connection.objects.get().is_simulated
    settings.OFFER_DEMO_KEYS = False
    assert 'id="demo-form"' not in text(browser.get(PASTE))
    assert browser.post(PASTE, {"demo": label, "do": "keep"}).status_code == 404


def test_a_card_says_how_it_stands_and_what_can_be_done(browser: Client, user: User) -> None:
    connection, now = make_connection(user=user, label="Savings"), clock.now()
    address = reverse("exchanges:card", args=[connection.pk])
    assert "Nothing is read yet" in text(browser.get(address))
    StreamState.objects.create(connection=connection, stream="trades", state="complete", covered_from=now)
    assert "Up to date" in text(browser.get(address))
    drawn = text(browser.post(reverse("exchanges:sync", args=[connection.pk]), headers=HTMX, follow=True))
    assert "Syncing" in drawn
    assert "every 2s" in drawn
    pause(user=user, connection_id=connection.pk, now=now)
    assert "Paused" in text(browser.get(address))
    refuse_key(connection=connection, problem=CredentialsRejectedError(), now=now)
    page = text(browser.get("/exchanges/"))
    assert escape(CredentialsRejectedError.default_detail) in page


def test_deeds_of_the_page(browser: Client, user: User) -> None:
    connection = make_connection(user=user)
    for deed, values, state in (
        ("pause", {}, "paused"),
        ("resume", {}, "active"),
        ("rename", {"label": "Renamed"}, "active"),
    ):
        assert browser.post(reverse(f"exchanges:{deed}", args=[connection.pk]), values).status_code == 302
        connection.refresh_from_db()
        assert connection.state == state
    assert connection.label == "Renamed"
    assert browser.post(reverse("exchanges:sync_all")).status_code == 302
    assert SyncRun.objects.filter(connection=connection).exists()
    assert browser.post(reverse("exchanges:forget_keys")).status_code == 302
    assert not connection.secrets.exists()
    assert browser.post(reverse("exchanges:disconnect", args=[connection.pk]), {"history": "keep"}).status_code == 302
    assert not Connection.objects.exists()


def test_syncs_are_told_in_plain_words_with_the_way_out(browser: Client, user: User) -> None:
    connection, now = make_connection(user=user), clock.now()
    SyncRun.objects.create(
        owner=user,
        connection=connection,
        state="succeeded",
        posted=3,
        fetched=20,
        requests=14,
        started_at=now,
        finished_at=now,
        problems=[{"code": "permission_missing", "detail": "Rewards may not be read.", "symbol": "BTC"}],
    )
    page = text(browser.get(reverse("exchanges:history", args=[connection.pk])))
    for words in ("3 new entries in the ledger", "20 rows read with 14 requests", "BTC: Rewards may not be read."):
        assert words in page
    assert "Give it a new key" in page


def test_another_s_connection_is_not_there(browser: Client) -> None:
    theirs = make_connection()
    for name in ("history", "card", "new_key"):
        assert browser.get(reverse(f"exchanges:{name}", args=[theirs.pk])).status_code == 404
    for name in ("sync", "pause", "resume", "disconnect"):
        assert browser.post(reverse(f"exchanges:{name}", args=[theirs.pk])).status_code == 404
    assert Connection.objects.filter(pk=theirs.pk, state="active").exists()


def test_the_page_asks_the_database_as_often_for_six_as_for_two(
    browser: Client, user: User, django_assert_max_num_queries: Any
) -> None:
    portfolio = make_default(user=user)
    for number in range(6):
        make_connection(portfolio=portfolio, label=f"Number {number}")
    browser.get("/exchanges/")
    with django_assert_max_num_queries(20):
        browser.get("/exchanges/")
