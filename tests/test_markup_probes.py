"""Texts that try to be markup: whatever people write, the pages show it as text."""

from html.parser import HTMLParser

import pytest
from django.test import Client

from apps.accounts.domain.grants import Scope
from apps.accounts.models import Role, User
from apps.accounts.tests.factories import PASSWORD, Api, api_of, make_personal_token, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

MARK = "probe7391"
PROBES = [
    f"<script>{MARK}()</script>",
    f'"><script>{MARK}()</script>',
    f"'><img src=x onerror={MARK}()>",
    f'" onmouseover="{MARK}()" x="',
    f"' autofocus onfocus='{MARK}()",
    f"<svg/onload={MARK}()>",
    f"</title><script>{MARK}()</script>",
    f"</textarea><script>{MARK}()</script>",
    f"</script><script>{MARK}()</script>",
    f"<!--><script>{MARK}()</script>-->",
    f"<a href=javascript:{MARK}()>x</a>",
    f"<iframe srcdoc='<script>{MARK}()</script>'>",
    f"<style>@import '{MARK}'</style>",
    f"<base href=//{MARK}/>",
    f"<form action=//{MARK}><input type=submit>",
    f"<meta http-equiv=refresh content=0;url=//{MARK}>",
    f"{{{{ {MARK} }}}}",
    f"{{% include '{MARK}' %}}",
    f"${{{MARK}}}",
    f"&lt;script&gt;{MARK}()&lt;/script&gt;",
    f"<scr<script>ipt>{MARK}()</script>",
    f"\u202e<script>{MARK}()</script>",
    f"\uff1cscript\uff1e{MARK}()\uff1c/script\uff1e",
    f"<ScRiPt\n>{MARK}()</sCrIpT >",
    f"<math><mtext></mtext><script>{MARK}()</script>",
    f"<details open ontoggle={MARK}()>",
    f"<x hx-get=//{MARK} hx-trigger=load>",
    f"<button formaction=javascript:{MARK}()>",
    f"<object data=//{MARK}>",
    f"`-{MARK}()-`",
]
PAGES = (
    "/",
    "/account/",
    "/account/security/",
    "/account/preferences/",
    "/account/activity/",
    "/people/",
    "/people/activity/",
    "/operations/",
    "/operations/jobs/",
    "/admin/",
    "/admin/accounts/user/",
    "/admin/accounts/personaltoken/",
    "/admin/accounts/invite/",
    "/admin/accounts/auditentry/",
    "/admin/accounts/refreshfamily/",
    "/admin/usersessions/usersession/",
)


ADDRESSES = {"href", "src", "action", "formaction", "data", "content"}


def _is_ours(address: str | None) -> bool:
    """Say whether an address stays on this site and holds the mark as a mere parameter."""
    path, _, _query = (address or "").partition("?")
    return path.startswith("/") and not path.startswith("//") and MARK not in path


class _Reader(HTMLParser):
    """Reads a page as a browser does and notes where the mark is part of the markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.shown = 0
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the mark in a name, in code, or where an address is loaded; as a plain value it is shown text."""
        self._open = tag
        for name, value in attrs:
            acts = name.startswith(("on", "hx-", "style", "srcdoc")) or (name in ADDRESSES and not _is_ours(value))
            if MARK in tag or MARK in name or (acts and MARK in (value or "")):
                self.found.append(f"<{tag} {name}={value}>")
            self.shown += MARK in (value or "")

    def handle_data(self, data: str) -> None:
        """Note the mark in code; elsewhere it is shown text."""
        if MARK in data and self._open in {"script", "style", "iframe", "title" if "<" in data else "script"}:
            self.found.append(f"in <{self._open}>: {data[:80]}")
        self.shown += MARK in data


def read(page: str) -> _Reader:
    """Read a page."""
    reader = _Reader()
    reader.feed(page)
    return reader


@pytest.fixture
def written() -> User:
    """Somebody who runs the instance and has written probes wherever text can be written, as others have."""
    owner = make_user(role=Role.OWNER)
    member = make_user()
    for probe in PROBES:
        short = probe[:80]
        for person in (owner, member):
            api = api_of(person)
            assert api.patch("auth/me", {"display_name": short}).status_code == 200
            assert api.post("auth/tokens", {"name": short}).status_code == 201
        assert api_of(owner).post("invites", {"note": short}).status_code == 201
        values = {"email": member.email, "password": PASSWORD}
        assert Api().post("auth/login", values, HTTP_USER_AGENT=short).status_code == 200
        make_user(display_name=short)
    _sign_in_by_browser(owner, PROBES[0])
    return owner


def _sign_in_by_browser(user: User, agent: str) -> None:
    client = Client(headers={"user-agent": agent})
    assert client.post("/account/login/", {"login": user.email, "password": PASSWORD}).status_code == 302


def test_no_text_becomes_markup(written: User) -> None:
    client = Client(headers={"user-agent": PROBES[1]})
    assert client.post("/account/login/", {"login": written.email, "password": PASSWORD}).status_code == 302
    readers = {}
    for path in PAGES:
        response = client.get(path)
        assert response.status_code == 200, path
        readers[path] = read(response.content.decode())
    assert {path: reader.found for path, reader in readers.items() if reader.found} == {}
    silent = {path for path, reader in readers.items() if not reader.shown}
    assert not silent & {"/account/security/", "/people/", "/admin/accounts/user/", "/admin/accounts/invite/"}


@pytest.mark.parametrize("probe", PROBES)
def test_no_address_becomes_markup(probe: str) -> None:
    client = Client()
    for path, name in (("/account/login/", "next"), ("/account/signup/", "invite"), ("/nothing/here", "q")):
        page = client.get(path, {name: probe}).content.decode()
        assert read(page).found == []


@pytest.mark.parametrize(
    "page",
    [
        f"<p>{PROBES[0]}</p>",
        f'<input value="{PROBES[3]}">',
        f"<title>{PROBES[6]}</title>",
        f'<a href="javascript:{MARK}()">x</a>',
        f"<p>{PROBES[26]}</p>",
        f"<p>{PROBES[28]}</p>",
        f'<a href="//{MARK}/">x</a>',
    ],
)
def test_the_reader_sees_what_is_planted(page: str) -> None:
    assert read(page).found


def test_a_personal_token_named_like_markup_is_named_so_in_the_api() -> None:
    user = make_user()
    make_personal_token(user=user, scopes=(Scope.READ,))
    api = api_of(user)
    api.post("auth/tokens", {"name": PROBES[0]})
    assert api.get("auth/tokens").headers["Content-Type"] == "application/json"
    assert api.get("auth/tokens").headers["X-Content-Type-Options"] == "nosniff"
