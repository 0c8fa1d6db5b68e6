"""Links for people without an account: what they open and nothing besides, what is in them, and how they end."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from prometheus_client import generate_latest

from apps.accounts import actions as accounts
from apps.accounts.domain.origin import NO_REQUEST
from apps.accounts.models import AuditEntry, Role, User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.core.logs import redact
from apps.core.models.idempotency import IdempotencyKey
from apps.markets.tests.factories import make_instrument, make_price
from apps.portfolios import actions
from apps.portfolios.actions.sharing import ViewerSharesNothingError, make_share, revoke_share
from apps.portfolios.domain.sharing import MOST_LIVE, ShareContent, SharePurpose, new_share_token
from apps.portfolios.models import Portfolio, ShareLink
from apps.portfolios.tests.factories import make_default, make_portfolio, post, raw_buy
from apps.portfolios.tests.test_api_performance import at, keep_days

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

YEAR = clock.now().year
PLAIN = ("Familyhoard", "Olga Ownerson", "olga@example.com", "Privatenote", "Advisorname")
ACCOUNTS = ("Vaultkeep", "Coldplace")


@pytest.fixture
def owner() -> User:
    return make_user(email="olga@example.com", display_name="Olga Ownerson")


@pytest.fixture
def portfolio(owner: User) -> Portfolio:
    """A ledger of amounts that nobody could come upon by chance."""
    held = make_portfolio(user=owner, name="Familyhoard")
    keep_days("kraken:BTC/USD", [40_000.0 + 61.8 * day for day in range(70)], price="52613.47")
    keep_days("kraken:ETH/USD", [2_700.0 + 3.3 * day for day in range(70)], price="3141.5927")
    post(
        held,
        raw_buy(ts=at(0), amount="7.3918264", price="41357.29", account="Vaultkeep", note="Privatenote"),
        raw_buy(ts=at(3), asset="ETH", amount="83.6429175", price="2718.2831", account="Coldplace", fee="17.9634"),
        raw_buy(ts=at(5), asset="XQZ", amount="913.5728", price="6.77194", account="Vaultkeep"),
        raw_buy(type="sell", ts=at(69), amount="1.8364729", price="45678.91", account="Vaultkeep"),
        raw_buy(
            type="income", ts=at(69), asset="ETH", amount="0.4471928", value="1393.8164", kind="staking", price=None
        ),
    )
    return held


def share(portfolio: Portfolio, **changes: Any) -> tuple[ShareLink, str]:
    """Make a link; return it with its token."""
    wanted: dict[str, Any] = {"purpose": SharePurpose.PORTFOLIO, "shows": ShareContent.PERCENTAGES, **changes}
    if wanted["purpose"] is SharePurpose.TAX_YEAR:
        wanted.setdefault("year", YEAR)
    return make_share(
        portfolio=portfolio,
        name="Advisorname",
        now=clock.now(),
        request_meta=NO_REQUEST,
        **wanted,
    )


def look(token: str, purpose: str = "portfolio", client: Client | None = None) -> HttpResponse:
    """Open an address as a stranger."""
    answer = (client or Client()).get(reverse("portfolios:shared", args=[purpose, token]))
    assert isinstance(answer, HttpResponse)
    return answer


def opens(token: str, purpose: str = "portfolio") -> bool:
    return look(token, purpose).status_code == 200


# --- One purpose, and the end of it -----------------------------------------------------------------------------------
def test_a_link_opens_what_it_is_for_and_nothing_else(portfolio: Portfolio) -> None:
    _, whole = share(portfolio)
    _, year = share(portfolio, purpose=SharePurpose.TAX_YEAR)
    assert opens(whole)
    assert opens(year, "tax_year")
    assert not opens(whole, "tax_year")
    assert not opens(year)
    for address in ("/portfolio/", "/tax/", "/api/v1/portfolios", f"/api/v1/portfolios/{portfolio.pk}/holdings"):
        for headers in ({"Authorization": f"Bearer {whole}"}, {}):
            answer = Client().get(address, {"token": whole}, headers=headers)
            assert answer.status_code in {302, 401}, address


def test_whatever_is_wrong_with_a_link_the_answer_is_the_same(portfolio: Portfolio, time_machine: Any) -> None:
    _, other_purpose = share(portfolio, purpose=SharePurpose.TAX_YEAR)
    revoked, revoked_token = share(portfolio)
    _, over = share(portfolio, days=1)
    _, cut = share(portfolio)
    revoke_share(
        user=portfolio.owner, portfolio=portfolio, share_id=revoked.pk, now=clock.now(), request_meta=NO_REQUEST
    )
    time_machine.move_to(clock.now() + timedelta(days=1, seconds=1), tick=False)
    answers = []
    for token in (new_share_token(), other_purpose, revoked_token, over, cut[:-1], "x", "\0", "é" * 50, "a" * 3000):
        with CaptureQueriesContext(connection) as asked:
            answer = look(token)
        headers = {name: value for name, value in answer.items() if name != "X-Request-ID"}
        answers.append((answer.status_code, answer.content, headers, len(asked)))
    assert answers[0][0] == 404
    assert all(one == answers[0] for one in answers)
    assert opens(cut)


def test_a_link_is_over_on_its_day(portfolio: Portfolio, time_machine: Any) -> None:
    start = clock.now()
    time_machine.move_to(start, tick=False)
    _, token = share(portfolio, purpose=SharePurpose.TAX_YEAR, days=365)
    time_machine.move_to(start + timedelta(days=365, seconds=-1), tick=False)
    assert opens(token, "tax_year")
    time_machine.move_to(start + timedelta(days=365), tick=False)
    assert not opens(token, "tax_year")


def test_a_link_ends_with_what_it_shows_and_with_who_made_it(owner: User, portfolio: Portfolio) -> None:
    _, token = share(portfolio)
    User.objects.filter(pk=owner.pk).update(role=Role.VIEWER)
    assert not opens(token)
    owner.refresh_from_db()
    with pytest.raises(ViewerSharesNothingError):
        share(portfolio)
    User.objects.filter(pk=owner.pk).update(role=Role.MEMBER)
    owner.refresh_from_db()
    assert opens(token)
    actions.delete_portfolio(user=owner, portfolio_id=portfolio.pk)
    assert not opens(token)
    other = make_default(user=owner)
    _, token = share(other)
    assert opens(token)
    accounts.delete_account(user=owner, now=clock.now(), request_meta=NO_REQUEST)
    assert not opens(token)
    assert not ShareLink.objects.exists()


def test_a_link_of_somebody_kept_out_stays_ended_when_they_are_let_in(owner: User, portfolio: Portfolio) -> None:
    chief = make_user(role=Role.OWNER)
    _, token = share(portfolio)
    for is_active in (False, True):
        accounts.manage_person(
            actor=chief,
            person_id=owner.pk,
            role=None,
            is_active=is_active,
            now=clock.now(),
            request_meta=NO_REQUEST,
        )
        assert not opens(token)
    owner.refresh_from_db()
    listed = body_of(api_of(owner).get(f"portfolios/{portfolio.pk}/shares"))["results"]
    assert [one["state"] for one in listed] == ["revoked"]
    _, anew = share(portfolio)
    assert opens(anew)


# --- What is kept and what is told ------------------------------------------------------------------------------------
def test_of_the_secret_only_a_hash_is_kept(portfolio: Portfolio) -> None:
    _, token = share(portfolio)
    assert re.fullmatch(r"cs_share_[A-Za-z0-9_-]{43}", token)  # 256 bits
    row = ShareLink.objects.values().get()
    assert token.removeprefix("cs_share_") not in str(row)
    assert not opens(row["fingerprint"])


def test_the_log_says_who_shared_and_that_it_was_opened_once(portfolio: Portfolio) -> None:
    link, token = share(portfolio)
    for _ in range(3):
        assert opens(token)
    Client().head(reverse("portfolios:shared", args=["portfolio", token]))
    revoke_share(user=portfolio.owner, portfolio=portfolio, share_id=link.pk, now=clock.now(), request_meta=NO_REQUEST)
    link.refresh_from_db()
    assert link.opened == 3
    said = AuditEntry.objects.for_user(portfolio.owner).filter(target=str(link.pk)).order_by("id")
    assert [entry.action for entry in said] == ["share.created", "share.first_opened", "share.revoked"]
    assert token not in str([(entry.detail, entry.target) for entry in said])


def test_the_secret_is_in_no_log_line_and_no_metric(portfolio: Portfolio, caplog: pytest.LogCaptureFixture) -> None:
    _, token = share(portfolio)
    caplog.set_level("DEBUG")
    assert opens(token)
    part = token[:-4].removeprefix("cs_share_")
    for purpose, sent in (("tax_year", token), ("portfolio", part)):
        assert not opens(sent, purpose)
    assert "Not Found" in caplog.text  # there was a line that could have told it
    assert part not in caplog.text
    assert part.encode() not in generate_latest()
    for line in (f"GET /shared/portfolio/{part} 200", f'"/shared/{part}/{part}"', f"https://x.example/shared//{token}"):
        assert part not in redact(line)


def test_a_visitor_needs_no_session_and_an_owner_s_is_not_touched(owner: User, portfolio: Portfolio) -> None:
    _, token = share(portfolio)
    browser = Client()
    browser.force_login(owner)
    before = list(Session.objects.values())
    with CaptureQueriesContext(connection) as asked:
        seen = look(token, client=browser)
    assert seen.status_code == 200
    assert not seen.cookies
    assert list(Session.objects.values()) == before
    assert not [query["sql"] for query in asked.captured_queries if "session" in query["sql"]]
    assert seen["Cache-Control"] == "no-store, private"
    assert seen["Referrer-Policy"] == "no-referrer"
    assert "noindex" in seen["X-Robots-Tag"]
    assert "script-src" not in seen["Content-Security-Policy"]
    assert "default-src 'none'" in seen["Content-Security-Policy"]
    assert "ETag" not in seen
    assert "<script" not in seen.text
    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', seen.text)
    assert addresses
    assert all(one.startswith(("/static/", "static/", "#")) for one in addresses)


def test_looking_again_and_again_is_slowed_down() -> None:
    answers: list[HttpResponse] = []
    while not answers or (answers[-1].status_code == 404 and len(answers) < 600):
        answers.append(look(new_share_token()))
    refused = answers[-1]
    assert len(answers) > 60
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert refused["Cache-Control"] == "no-store, private"


# --- Percentages only -------------------------------------------------------------------------------------------------
def _numbers(value: object) -> Iterator[str]:
    """Yield every number of an answer in JSON that is not a fraction."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner)
    elif isinstance(value, str | int | float) and re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        yield str(value)


def canaries(api: Api, portfolio: Portfolio) -> set[str]:
    """Return the first four digits of every amount that the owner's own answers hold."""
    own = f"portfolios/{portfolio.pk}"
    said: list[object] = [body_of(api.get(f"{own}/{name}")) for name in ("holdings", "transactions", "lots", "history")]
    said += [body_of(api.get(f"{own}/gains?year={YEAR}")), body_of(api.get(f"{own}/allocation?by=account"))]
    report = body_of(api.get(f"{own}/performance"))
    said.append({name: report[name] for name in ("start_value", "end_value", "deposits", "realised", "unrealised")})
    digits = {re.sub(r"\D", "", number).lstrip("0") for number in _numbers(said) if abs(float(number)) > 0.01}
    return {one[:4] for one in digits if len(one.rstrip("0")) >= 4} - {str(YEAR), str(YEAR - 1)}


def told(answer: HttpResponse, wanted: set[str]) -> set[str]:
    """Return those that an answer holds, in its page, its titles, its drawings or its headers."""
    kept_out = {"X-Request-ID", "Date", "Content-Length"}
    headers = json.dumps({name: value for name, value in answer.items() if name not in kept_out})
    page = re.sub(r"<time.*?</time>", "", answer.text)
    words = re.findall(r"\d[\d,]*\.?\d*", f"{page} {headers}")
    digits = {re.sub(r"\D", "", word).lstrip("0") for word in words}
    return {one for one in wanted if any(word.startswith(one) for word in digits)}


@pytest.mark.parametrize("purpose", list(SharePurpose))
def test_no_digit_of_any_amount_is_in_percentages(owner: User, portfolio: Portfolio, purpose: SharePurpose) -> None:
    wanted = canaries(api_of(owner), portfolio)
    assert {"7391", "4135", "8364", "9135", "5261", "4567", "1393", "4471", "1836"} <= wanted
    assert len(wanted) > 100
    _, token = share(portfolio, purpose=purpose)
    page = look(token, purpose)
    assert told(page, wanted) == set()
    for word in (*PLAIN, *ACCOUNTS, str(portfolio.pk), str(owner.pk), "USD", "$"):
        assert word not in page.text, word
    assert "BTC" in page.text
    _, token = share(portfolio, purpose=purpose, shows=ShareContent.FULL)
    page = look(token, purpose)
    assert len(told(page, wanted)) >= 4  # the hunt finds what is there
    for word in (*PLAIN, str(portfolio.pk), str(owner.pk)):
        assert word not in page.text, word


def test_percentages_are_the_owner_s_own(owner: User, portfolio: Portfolio) -> None:
    make_instrument("kraken:XQZ/USD")
    make_price("kraken:XQZ/USD", price="6")
    _, token = share(portfolio)
    page = Client().get(reverse("portfolios:shared", args=["portfolio", token])).context["page"]
    own = body_of(api_of(owner).get(f"portfolios/{portfolio.pk}/allocation?by=asset"))["results"]
    assert {row.asset: round(float(row.weight), 4) for row in page.holdings} == {
        row["name"]: round(float(row["share"]), 4) for row in own
    }
    report = body_of(api_of(owner).get(f"portfolios/{portfolio.pk}/performance"))
    assert float(page.figures.twr) == pytest.approx(float(report["twr"]), abs=0.0001)
    assert page.line.end == page.figures.twr  # the line ends where the figure stands
    assert page.amounts is None


# --- The owner's own doors --------------------------------------------------------------------------------------------
def test_links_are_made_listed_and_revoked_over_rest(owner: User, portfolio: Portfolio) -> None:
    api, path = api_of(owner), f"portfolios/{portfolio.pk}/shares"
    body = {"purpose": "tax_year", "year": YEAR, "shows": "full", "name": "For Nora", "expires_in_days": 7}
    first = api.post(path, body, HTTP_IDEMPOTENCY_KEY="k-1")
    again = api.post(path, body, HTTP_IDEMPOTENCY_KEY="k-1")
    made = body_of(first)
    token = made["url"].rsplit("/", 1)[1]
    assert (first.status_code, body_of(again)["url"]) == (201, made["url"])
    assert token.encode() not in b"".join(bytes(row.answer or b"") for row in IdempotencyKey.objects.all())
    assert opens(token, "tax_year")
    listed = body_of(api.get(path))["results"]
    assert [(row["id"], row["state"], row["opened"], row["name"]) for row in listed] == [
        (made["id"], "live", 1, "For Nora")
    ]
    assert token not in str(listed)
    assert api.delete(f"{path}/{made['id']}").status_code == 204
    assert api.delete(f"{path}/{made['id']}").status_code == 404
    assert not opens(token, "tax_year")
    assert body_of(api.get(path))["results"][0]["state"] == "revoked"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"purpose": "everything"}, "purpose"),
        ({"purpose": "tax_year"}, "year"),
        ({"purpose": "tax_year", "year": 9999}, "year"),
        ({"purpose": "portfolio", "year": 2024}, "year"),
        ({"purpose": "portfolio", "expires_in_days": 366}, "expires_in_days"),
        ({"purpose": "portfolio", "expires_in_days": 0}, "expires_in_days"),
        ({"purpose": "portfolio", "shows": "all"}, "shows"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(
    owner: User, portfolio: Portfolio, body: dict[str, object], field: str
) -> None:
    refused = api_of(owner).post(f"portfolios/{portfolio.pk}/shares", body)
    assert refused.status_code == 422
    assert [problem["field"] for problem in body_of(refused)["errors"]] == [field]
    assert not ShareLink.objects.exists()


def test_a_portfolio_has_only_so_many_links_at_a_time(owner: User, portfolio: Portfolio) -> None:
    first, _ = share(portfolio)
    for _ in range(MOST_LIVE - 1):
        share(portfolio)
    path = f"portfolios/{portfolio.pk}/shares"
    refused = api_of(owner).post(path, {"purpose": "portfolio"})
    assert (refused.status_code, body_of(refused)["code"]) == (409, "too_many_shares")
    revoke_share(user=owner, portfolio=portfolio, share_id=first.pk, now=clock.now(), request_meta=NO_REQUEST)
    assert api_of(owner).post(path, {"purpose": "portfolio"}).status_code == 201


def test_the_page_makes_a_link_shows_it_once_and_takes_it_back(owner: User) -> None:
    make_default(user=owner)
    browser = Client()
    browser.force_login(owner)
    address = reverse("portfolios:sharing")
    assert "Nothing is shared" in browser.get(address).text
    wrong = browser.post(address, {"opens": "portfolio", "shows": "full", "days": "900"})
    assert wrong.status_code == 422
    made = browser.post(address, {"opens": "portfolio", "shows": "full", "days": "30", "name": "For Nora"})
    token = re.findall(r"cs_share_[A-Za-z0-9_-]{43}", made.text)[0]
    assert "while you hide amounts" in made.text
    assert made["Cache-Control"].startswith("max-age=0")
    assert opens(token)
    page = browser.get(address)
    assert "For Nora" in page.text
    assert "opened 1 time" in page.text
    assert token not in page.text
    link = ShareLink.objects.get()
    browser.post(reverse("portfolios:revoke_share", args=[link.pk]))
    assert not opens(token)
    assert "Links that have ended" in browser.get(address).text
