"""Every digit goes in by every door and comes out by every other, and what was taken out and put in again is equal."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.portfolios import actions
from apps.portfolios.models import Portfolio
from apps.portfolios.tests.factories import make_default, make_portfolio, post, raw_buy
from apps.portfolios.tests.test_export import ROWS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

DUST = "1.000000000000000001"
ALL_DUST = "3.000000000000000003"
TOTALS = ("realised_total", "income_total", "fees_total", "holdings", "remaining_cost", "pools", "missing", "errors")
TABLE = f"ts,type,asset,amount,price,account\n2024-03-03T00:00:00Z,buy,DST,{DUST},7,File\n"


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def filled(user: User, api: Api) -> Portfolio:
    """A ledger of every kind of entry, with the same dust by form, by file and by REST."""
    portfolio = make_default(user=user)
    assert post(portfolio, *ROWS).posted == len(ROWS)
    browser = Client()
    browser.force_login(user)
    typed = {"template": "buy", "step": "post", "at": "2024-03-01T10:00", "asset": "DST", "amount": DUST}
    assert (
        browser.post(reverse("portfolios:new_transaction"), {**typed, "value": "7", "account": "Form"}).status_code
        == 302
    )
    path = f"/api/v1/portfolios/{portfolio.pk}/imports"
    upload = SimpleUploadedFile("dust.csv", TABLE.encode(), content_type="text/csv")
    sent: Any = browser.post(
        path, {"file": upload, "format": "generic"}, headers={"Authorization": f"Bearer {api.token}"}
    )
    assert (sent.status_code, sent.json()["effect"]["DST"]) == (201, DUST)
    assert api.post(f"portfolios/{portfolio.pk}/imports/{sent.json()['id']}/commit", {}).status_code < 300
    row = raw_buy(id="rest", ts="2024-03-04T00:00:00Z", asset="DST", amount=DUST, price="7", account="Rest")
    assert api.post(f"portfolios/{portfolio.pk}/transactions", row).status_code == 201
    return portfolio


def exported(api: Api, portfolio: Portfolio, wanted: str) -> str:
    answer: Any = api.get(f"portfolios/{portfolio.pk}/export?format={wanted}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def totals(result: dict[str, Any]) -> dict[str, Any]:
    """Return what a result sums up to; ids of entries are another ledger's own."""
    return {name: result[name] for name in TOTALS}


def booked(api: Api, portfolio: Portfolio) -> dict[str, Any]:
    return totals(body_of(api.get(f"portfolios/{portfolio.pk}/lots")))


def test_dust_is_the_same_in_every_door_and_out_of_every_other(api: Api, filled: Portfolio) -> None:
    own = f"portfolios/{filled.pk}"
    rows = body_of(api.get(f"{own}/transactions?asset=DST"))["results"]
    assert [row["amount"] for row in rows] == [DUST] * 3
    held = {row["asset"]: row for row in body_of(api.get(f"{own}/holdings"))["results"]}["DST"]
    assert (held["amount"], held["accounts"]) == (ALL_DUST, {"Form": DUST, "File": DUST, "Rest": DUST})
    held_by_account = booked(api, filled)["holdings"]
    assert [held_by_account[name]["DST"] for name in ("Form", "File", "Rest")] == [DUST] * 3
    for wanted, shown in (("json", f'"amount":"{DUST}"'), ("csv", f",{DUST},"), ("beancount", f"  {DUST} DST @@")):
        assert exported(api, filled, wanted).count(shown) >= 3, wanted


def test_every_way_back_gives_equal_totals(api: Api, user: User, filled: Portfolio, tmp_path: Path) -> None:
    wanted = booked(api, filled)
    assert wanted["errors"] == wanted["missing"] == []
    file = tmp_path / "ledger.json"
    file.write_text(exported(api, filled, "json"))
    out = StringIO()
    call_command("book", str(file), stdout=out)
    assert totals(json.loads(out.getvalue())) == wanted
    again = make_portfolio(user=user, name="By REST")
    sent = body_of(api.post(f"portfolios/{again.pk}/transactions", json.loads(file.read_text())["transactions"]))
    assert (sent["errors"], booked(api, again)) == ([], wanted)
    for name in ("csv", "json"):
        again = make_portfolio(user=user, name=f"By {name}")
        data = exported(api, filled, name).encode()
        for _ in range(5):
            row = actions.preview_import(portfolio=again, data=data, by=user, now=clock.now())
            assert row.errors == []
            actions.commit_import(user=user, import_id=row.pk, now=clock.now())
        assert booked(api, again) == wanted, name
        assert exported(api, again, "csv").count("\n") == exported(api, filled, "csv").count("\n")
