"""A person's way through the door in a real browser: register, second factor, token, sessions, passkey."""

import json
import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.accounts.tests.factories import next_totp_code, totp_code
from tests.journeys.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sent_tasks"),
]
EMAIL, PASSWORD = "ann@home.example", "a lamp a river a chair"
LOGIN = re.compile(r"/account/login/")


def _address(server: LiveServer) -> str:
    """Return the server under the name that passkeys are bound to."""
    return str(server.url).replace("127.0.0.1", "localhost")


def _register(page: Page, address: str) -> None:
    page.goto(f"{address}/account/signup/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Name").fill("Ann")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("button", name="Account menu")).to_be_visible()


def _sign_out(page: Page) -> None:
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page).to_have_url(LOGIN)


def _enter_password(page: Page, address: str) -> None:
    page.goto(f"{address}/account/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _turn_on_app(page: Page, address: str) -> tuple[str, list[str]]:
    """Return the app's secret and the recovery codes."""
    page.goto(f"{address}/account/security/")
    page.get_by_role("link", name="Set it up").click()
    secret = page.locator("#totp-secret").inner_text().strip()
    page.get_by_label("Code from the app").fill(totp_code(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return secret, page.locator("#codes li").all_inner_texts()


def _make_token(page: Page) -> str:
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Name").fill("backup script")
    page.get_by_role("button", name="Make the token").click()
    token = page.locator("#token-text").inner_text().strip()
    page.reload()
    expect(page.locator("#token-text")).to_have_count(0)
    return token


def _who_am_i(address: str, token: str) -> str:
    """Return whose token this is, as a program asks it."""
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{address}/api/v1/auth/me", headers=headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
        return str(json.load(answer)["email"])


def test_from_registration_to_the_end_of_a_session(open_page: OpenPage, live_server: LiveServer) -> None:
    address, page = _address(live_server), open_page()
    _register(page, address)
    secret, codes = _turn_on_app(page, address)
    assert len(codes) == 10
    _sign_out(page)

    _enter_password(page, address)
    # six digits are enough: the form goes by itself; the code of the set-up is spent
    page.get_by_label("Code", exact=True).fill(next_totp_code(secret))
    expect(page.get_by_role("button", name="Account menu")).to_be_visible()

    page.goto(f"{address}/account/security/")
    expect(page.get_by_text("10 recovery codes left")).to_be_visible()
    token = _make_token(page)
    expect(page.get_by_role("button", name="Revoke backup script")).to_be_visible()
    assert _who_am_i(address, token) == EMAIL

    other = open_page()
    _enter_password(other, address)
    other.get_by_text("Use a recovery code").click()
    other.get_by_label("Recovery code").fill(codes[0])
    other.get_by_role("button", name="Sign in with it").click()
    expect(other.get_by_role("button", name="Account menu")).to_be_visible()

    page.reload()
    expect(page.get_by_text("9 recovery codes left")).to_be_visible()
    page.locator("#sessions").get_by_role("button", name=re.compile(r"^End Chrome")).click()
    expect(page.get_by_text("The session has ended.")).to_be_visible()
    other.goto(f"{address}/account/security/")
    expect(other).to_have_url(LOGIN)


def test_a_passkey_signs_in_alone(open_page: OpenPage, live_server: LiveServer) -> None:
    address, page = _address(live_server), open_page()
    protocol = page.context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    authenticator = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator})
    _register(page, address)
    page.goto(f"{address}/account/2fa/webauthn/add/")
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    _sign_out(page)

    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Account menu")).to_be_visible()
    page.goto(f"{address}/account/security/")
    expect(page.get_by_text("laptop")).to_be_visible()
