"""The pages of the shell: who may see them, that they say what is true, and that nothing inline runs in them."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import Preferences, Role
from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.markets.tests.factories import make_instrument, make_item, make_price, make_watchlist
from apps.portfolios.actions.reading import refresh
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

NAMED_CONTROLS = {"button", "a"}


class Page(HTMLParser):
    """What matters of a page: what would run or style inline, its controls without a name, ids, labels, headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.labels_for: set[str] = set()
        self.headings = 0
        self.language = ""
        self.nameless: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "style" or (tag == "script" and "src" not in found):
            self.inline.append(tag)
        self.inline += [f"{tag} {name}" for name in found if name == "style" or name.startswith("on")]
        self.ids += [found["id"]] if "id" in found else []
        self.labels_for |= {found["for"]} if "for" in found else set()
        self.headings += tag == "h1"
        if tag == "html":
            self.language = found.get("lang", "")
        if tag in NAMED_CONTROLS:
            self._open.append((tag, found.get("aria-label", "") or found.get("aria-labelledby", "")))

    def handle_data(self, data: str) -> None:
        self._open = [(tag, name + data.strip()) for tag, name in self._open]

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            _tag, name = self._open.pop()
            self.nameless += [] if name else [tag]


def signed_in(*, role: Role = Role.MEMBER, email: str = "ada@example.com") -> Client:
    client = Client()
    client.force_login(make_user(email=email, role=role), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def html_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_a_stranger_is_sent_to_sign_in(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next=/"


def test_the_overview_is_never_kept_by_a_cache() -> None:
    assert "no-store" in signed_in().get("/")["Cache-Control"]


def test_the_overview_shows_the_first_list_or_the_largest_markets() -> None:
    user = make_user()
    for name, volume in (("binance:BTC/USDT", "9"), ("kraken:BTC/USD", "8"), ("kraken:ADA/USD", "1")):
        make_instrument(name, volume_usd=volume)
    browser = Client()
    browser.force_login(user)
    largest = [str(row.name) for row in browser.get("/").context["overview"].markets.rows]
    assert largest == ["binance:BTC/USDT", "kraken:ADA/USD"]
    make_item(make_watchlist(user=user, name="Mine"), "kraken:BTC/USD")
    own = browser.get("/").context["overview"].markets
    assert (own.watchlist, [str(row.name) for row in own.rows]) == ("Mine", ["kraken:BTC/USD"])


def test_the_overview_says_what_is_missing_and_who_is_there() -> None:
    html = html_of(signed_in(), "/")
    assert "Nothing to add up yet" in html
    assert "ada@example.com" in html
    assert "arrives later" not in html  # nothing of this version is missing


def test_the_overview_shows_what_the_money_is_worth_and_hides_it_on_demand() -> None:
    user = make_user()
    make_instrument("kraken:BTC/USD")
    make_price("kraken:BTC/USD", price="50000")
    portfolio = make_default(user=user)
    post(portfolio, raw_buy(amount="1.2345", price="40000"))
    refresh(portfolio=portfolio, now=clock.now())
    browser = Client()
    browser.force_login(user)
    html = html_of(browser, "/")
    for words in ("$61,725", "+$12,345.00", reverse("portfolios:overview")):
        assert words in html
    Preferences.objects.update_or_create(user=user, defaults={"private": True})
    assert not re.search(r"61,725|12,345", html_of(browser, "/"))


def test_operations_are_offered_to_those_who_run_the_instance_only() -> None:
    address = f'href="{reverse("operations:console")}"'
    assert address in html_of(signed_in(role=Role.ADMIN), "/")
    assert address not in html_of(signed_in(email="grace@example.com"), "/")


@pytest.mark.parametrize("path", ["/", "/design/"])
def test_pages_run_and_style_nothing_inline(path: str, settings: Settings) -> None:
    settings.DEBUG = True
    page = Page(html_of(signed_in(role=Role.OWNER), path))
    assert page.inline == []


@pytest.mark.parametrize("path", ["/", "/design/", "/offline/"])
def test_pages_can_be_read_without_eyes(path: str, settings: Settings) -> None:
    settings.DEBUG = True
    page = Page(html_of(signed_in(role=Role.OWNER), path))
    assert page.headings == 1
    assert page.language == "en"
    assert page.nameless == []
    assert len(page.ids) == len(set(page.ids))
    assert page.labels_for <= set(page.ids)


def test_links_of_the_shell_lead_somewhere() -> None:
    client = signed_in(role=Role.OWNER)
    links = set(re.findall(r'<a href="(/[^"]*)" role="menuitem"', html_of(client, "/")))
    assert links
    assert {path: status for path in links if (status := client.get(path).status_code) not in {200, 302}} == {}


def test_preferences_stand_in_the_html_before_it_is_painted() -> None:
    user = make_user(email="light@example.com")
    wanted = {"theme": "light", "palette": "blue-orange", "density": "compact", "private": True}
    Preferences.objects.update_or_create(user=user, defaults=wanted)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    opening = re.search(r"<html[^>]*>", html_of(client, "/"))
    assert opening is not None
    for attribute in ('data-theme="light"', 'data-palette="blue-orange"', 'data-density="compact"', "data-private"):
        assert attribute in opening[0]


@pytest.mark.parametrize(("cookie", "shown"), [("light", "light"), ("auto", "auto"), ('"><script>', "dark")])
def test_a_strangers_theme_is_kept_in_a_cookie(client: Client, cookie: str, shown: str) -> None:
    client.cookies["coinsphere_theme"] = cookie
    assert f'data-theme="{shown}"' in client.get("/nothing-here").content.decode()


def test_the_components_page_exists_in_debug_only(client: Client, settings: Settings) -> None:
    assert client.get("/design/").status_code == 404
    settings.DEBUG = True
    assert client.get("/design/").status_code == 200


def test_a_missing_page_says_so_with_its_status(client: Client) -> None:
    response = client.get("/nothing-here")
    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500", "503"])
def test_error_pages_need_no_context(name: str) -> None:
    page = Page(render_to_string(f"{name}.html"))
    assert page.headings == 1
    assert page.inline == []


@pytest.mark.parametrize("name", ["500", "503"])
def test_the_last_error_pages_need_neither_database_nor_manifest(name: str, settings: Settings) -> None:
    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    settings.STATIC_ROOT = "/nonexistent"
    html = render_to_string(f"{name}.html", {"request_id": "abc123"})
    assert "/static/css/tokens.css" in html
    assert "abc123" in html


def test_the_manifest_describes_an_app_with_icons(client: Client) -> None:
    response = client.get("/manifest.webmanifest")
    assert response["Content-Type"] == "application/manifest+json"
    body = json.loads(response.content)
    assert body["start_url"] == "/"
    assert {icon["purpose"] for icon in body["icons"]} == {"any", "maskable"}


def test_the_service_worker_keeps_the_shell_and_nothing_private(client: Client) -> None:
    response = client.get("/service-worker.js")
    script = response.content.decode()
    assert response["Content-Type"].startswith("text/javascript")
    kept = re.search(r"const SHELL = \[(.*?)\]", script)
    assert kept is not None
    assert all(path.startswith('"/static/') for path in kept[1].split(", "))
    assert "/offline/" in script
    assert "cache.put" not in script


def test_the_offline_page_knows_nobody() -> None:
    assert "ada@example.com" not in html_of(signed_in(), "/offline/")


@pytest.mark.parametrize("path", ["/", "/offline/", "/manifest.webmanifest", "/service-worker.js"])
def test_pages_of_the_shell_are_read_only(path: str) -> None:
    assert signed_in().post(path).status_code == 405
