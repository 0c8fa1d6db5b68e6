"""Every page for every kind of visitor. A page without a line in the table fails."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.models import User
from tests.cast import MISSING, Cast, ids_of, make_cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

#: Who may: everybody; whoever is signed in; those who run the instance, to others there is no such page.
OPEN, SIGNED_IN, RUNS = "open", "signed in", "runs"

#: Addresses that the table of API operations, the admin and the sign-in library answer for.
ELSEWHERE = ("api/", "admin/", "health", "metrics", "account/")
OUR_ACCOUNT_PAGES = ("accounts:",)

EXPECTED = {
    "GET accounts:profile": SIGNED_IN,
    "GET accounts:delete_account": SIGNED_IN,
    "GET accounts:preferences": SIGNED_IN,
    "GET accounts:audit": SIGNED_IN,
    "GET accounts:security": SIGNED_IN,
    "POST accounts:end_other_sessions": SIGNED_IN,
    "POST accounts:end_session": SIGNED_IN,
    "GET accounts:make_token": SIGNED_IN,
    "POST accounts:revoke_token": SIGNED_IN,
    "GET accounts:people": RUNS,
    "GET accounts:audit_log": RUNS,
    "POST accounts:invite": RUNS,
    "POST accounts:revoke_invite": RUNS,
    "POST accounts:change_person": RUNS,
    "GET dashboard:overview": SIGNED_IN,
    "GET dashboard:offline": OPEN,
    "GET dashboard:design": OPEN,
    "GET dashboard:manifest": OPEN,
    "GET dashboard:service_worker": OPEN,
    "GET dashboard:favicon": OPEN,
    "GET markets:markets": SIGNED_IN,
    "GET markets:rows": SIGNED_IN,
    "GET markets:find": SIGNED_IN,
    "GET markets:asset": SIGNED_IN,
    "GET markets:asset_by_symbol": SIGNED_IN,
    "POST markets:settle": RUNS,
    "GET markets:watchlists": SIGNED_IN,
    "GET markets:watchlist": SIGNED_IN,
    "GET markets:watch_menu": SIGNED_IN,
    "POST markets:watch": SIGNED_IN,
    "POST markets:create_watchlist": SIGNED_IN,
    "POST markets:rename_watchlist": SIGNED_IN,
    "POST markets:delete_watchlist": SIGNED_IN,
    "POST markets:undo": SIGNED_IN,
    "POST markets:add_to_watchlist": SIGNED_IN,
    "POST markets:order_watchlist": SIGNED_IN,
    "POST markets:note": SIGNED_IN,
    "POST markets:remove": SIGNED_IN,
    "GET portfolios:overview": SIGNED_IN,
    "GET portfolios:history": SIGNED_IN,
    "GET portfolios:performance": SIGNED_IN,
    "GET portfolios:find": SIGNED_IN,
    "GET portfolios:holding": SIGNED_IN,
    "GET portfolios:holding_chart": SIGNED_IN,
    "GET portfolios:tax": SIGNED_IN,
    "GET portfolios:tax_year": SIGNED_IN,
    "GET portfolios:tax_file": SIGNED_IN,
    "GET portfolios:tax_lab": SIGNED_IN,
    "GET portfolios:tax_differences": SIGNED_IN,
    "GET portfolios:tax_year_end": SIGNED_IN,
    "POST portfolios:freeze_year": SIGNED_IN,
    "POST portfolios:accept_year": SIGNED_IN,
    "POST portfolios:unlock_year": SIGNED_IN,
    "GET portfolios:sell": SIGNED_IN,
    "GET portfolios:settings": SIGNED_IN,
    "POST portfolios:rename_portfolio": SIGNED_IN,
    "POST portfolios:create_portfolio": SIGNED_IN,
    "POST portfolios:delete_portfolio": SIGNED_IN,
    "GET portfolios:sharing": SIGNED_IN,
    "POST portfolios:revoke_share": SIGNED_IN,
    "GET portfolios:shared": OPEN,
    "GET portfolios:reconciliation": SIGNED_IN,
    "GET portfolios:mend": SIGNED_IN,
    "GET portfolios:imports": SIGNED_IN,
    "GET portfolios:import": SIGNED_IN,
    "POST portfolios:commit_import": SIGNED_IN,
    "POST portfolios:undo_import": SIGNED_IN,
    "POST portfolios:look_at_file": SIGNED_IN,
    "POST portfolios:keep_import": SIGNED_IN,
    "GET portfolios:import_templates": SIGNED_IN,
    "GET portfolios:import_template": SIGNED_IN,
    "POST portfolios:delete_import_template": SIGNED_IN,
    "GET portfolios:transfers": SIGNED_IN,
    "POST portfolios:answer_address": SIGNED_IN,
    "POST portfolios:withdraw_answer": SIGNED_IN,
    "POST portfolios:match": SIGNED_IN,
    "POST portfolios:unmatch": SIGNED_IN,
    "POST portfolios:choose": SIGNED_IN,
    "GET portfolios:transactions": SIGNED_IN,
    "GET portfolios:new_transaction": SIGNED_IN,
    "GET portfolios:transaction": SIGNED_IN,
    "GET portfolios:correct_transaction": SIGNED_IN,
    "POST portfolios:reverse_transaction": SIGNED_IN,
    "GET exchanges:exchanges": SIGNED_IN,
    "POST exchanges:sync_all": SIGNED_IN,
    "POST exchanges:forget_keys": SIGNED_IN,
    "GET exchanges:choose": SIGNED_IN,
    "GET exchanges:connect": SIGNED_IN,
    "GET exchanges:history": SIGNED_IN,
    "GET exchanges:card": SIGNED_IN,
    "POST exchanges:sync": SIGNED_IN,
    "POST exchanges:pause": SIGNED_IN,
    "POST exchanges:resume": SIGNED_IN,
    "POST exchanges:rename": SIGNED_IN,
    "GET exchanges:new_key": SIGNED_IN,
    "POST exchanges:disconnect": SIGNED_IN,
    "GET operations:console": RUNS,
    "GET operations:self_check": RUNS,
    "POST operations:start_self_check": RUNS,
    "GET operations:jobs": RUNS,
    "POST operations:cancel_job": RUNS,
    "POST operations:retry_job": RUNS,
}
PEOPLE = {"anonymous": set(), "viewer": {SIGNED_IN}, "member": {SIGNED_IN}, "admin": {SIGNED_IN, RUNS}}
PEOPLE["owner"] = PEOPLE["admin"]
#: Pages about something of one person: with somebody else's id they answer as if there were no such thing.
OWNED = {
    "POST accounts:end_session": "session_id",
    "POST accounts:revoke_token": "token_id",
    "GET markets:watchlist": "watchlist_id",
    "GET portfolios:import": "import_id",
    "POST portfolios:commit_import": "import_id",
    "POST portfolios:undo_import": "import_id",
    "POST portfolios:keep_import": "import_id",
    "GET portfolios:import_template": "template_id",
    "POST portfolios:delete_import_template": "template_id",
    "GET exchanges:history": "connection_id",
    "GET exchanges:card": "connection_id",
    "POST exchanges:sync": "connection_id",
    "POST exchanges:pause": "connection_id",
    "POST exchanges:resume": "connection_id",
    "POST exchanges:rename": "connection_id",
    "POST exchanges:disconnect": "connection_id",
    "POST portfolios:withdraw_answer": "answer_id",
    "POST portfolios:revoke_share": "share_id",
    "GET portfolios:transaction": "transaction_id",
    "GET portfolios:correct_transaction": "transaction_id",
    "POST portfolios:reverse_transaction": "transaction_id",
    "POST markets:delete_watchlist": "watchlist_id",
}


@dataclass(frozen=True)
class Page:
    """A page's name and the parameters of its address."""

    name: str
    parameters: tuple[str, ...]


def _pages(patterns: list[URLPattern | URLResolver], space: str = "", prefix: str = "") -> Iterator[Page]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _pages(pattern.url_patterns, inner, route)
        elif pattern.name and (not route.startswith(ELSEWHERE) or space in OUR_ACCOUNT_PAGES):
            yield Page(f"{space}{pattern.name}", tuple(pattern.pattern.converters))


def all_pages() -> dict[str, Page]:
    """Return our pages by their names."""
    return {page.name: page for page in _pages(get_resolver().url_patterns)}


@pytest.fixture
def cast() -> Cast:
    """A small instance full of people."""
    return make_cast()


def _visitor(cast: Cast, name: str) -> User | None:
    return None if name == "anonymous" else getattr(cast, name)


def _ask(line: str, *, visitor: User | None, ids: dict[str, str]) -> HttpResponseBase:
    method, name = line.split(" ")
    address = reverse(name, kwargs={parameter: ids[parameter] for parameter in all_pages()[name].parameters})
    client = Client()
    if visitor is not None:
        client.force_login(visitor)
    return client.generic(method, address)


def _is_sent_to_sign_in(answer: HttpResponseBase) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/account/login/")


def test_every_page_has_a_line() -> None:
    assert {line.split(" ")[1] for line in EXPECTED} == set(all_pages())


@pytest.mark.parametrize("name", PEOPLE)
def test_each_visitor_sees_their_pages_and_no_other(cast: Cast, name: str) -> None:
    visitor = _visitor(cast, name)
    ids = dict(ids_of(cast=cast, user=visitor or cast.member))
    wrong = []
    for line, kind in EXPECTED.items():
        answer = _ask(line, visitor=visitor, ids=ids)
        if kind == OPEN or kind in PEOPLE[name]:
            refusals = {403, 404, 405} if kind == RUNS else {403, 405}
            fine = not _is_sent_to_sign_in(answer) and answer.status_code not in refusals
        else:
            fine = _is_sent_to_sign_in(answer) if visitor is None else answer.status_code == 404
        if not fine:
            wrong.append(f"{line}: {answer.status_code} {answer.get('Location', '')}")
    assert wrong == []


@pytest.mark.parametrize(("line", "parameter"), OWNED.items())
def test_what_belongs_to_another_looks_like_nothing(cast: Cast, line: str, parameter: str) -> None:
    theirs, nobodys = dict(ids_of(cast=cast, user=cast.owner)), {parameter: MISSING}
    answers = [_ask(line, visitor=cast.member, ids=ids) for ids in (theirs, nobodys)]
    assert [answer.status_code for answer in answers] == [404, 404]
