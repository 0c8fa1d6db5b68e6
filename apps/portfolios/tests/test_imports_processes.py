"""Large imports among processes: a worker killed in the middle leaves nothing, the next one comes to the same end."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock, jobs
from apps.core.jobs import sweep
from apps.portfolios import actions
from apps.portfolios.models import FileImport, ImportWork, Portfolio, Transaction
from apps.portfolios.tests.factories import make_default
from apps.portfolios.tests.test_imports import upload

LEASE_SECONDS = 1.0
LINES = 300
FILE = "ts,type,asset,amount,price,id\n" + "".join(
    f"2024-01-01T00:{place // 60:02}:{place % 60:02}Z,buy,BTC,0.5,40000,{place}\n" for place in range(LINES)
)
Start = Callable[..., "subprocess.Popen[str]"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sent_tasks")]


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def portfolio(user: User) -> Portfolio:
    return make_default(user=user)


@pytest.fixture(autouse=True)
def _large_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.portfolios.actions.imports.MOST_AT_ONCE", 100)
    monkeypatch.setattr(settings, "JOB_LEASE_SECONDS", LEASE_SECONDS)
    monkeypatch.setattr(sweep, "job_models", lambda: (ImportWork,))


@pytest.fixture
def start() -> Iterator[Start]:
    """Start worker processes on this test's database; what is left of them at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    base = connection.settings_dict
    url = f"postgres://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
    outside = {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "TEST_LEASE_SECONDS": str(LEASE_SECONDS)}

    def _start(work: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.portfolios.tests.import_worker", work],
            cwd=settings.BASE_DIR,
            env={**os.environ, **outside},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield _start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line: str = process.stdout.readline()
    return line.strip()


def take_over() -> None:
    began = time.monotonic()
    while jobs.reap(now=clock.now()).taken_over == 0:
        assert time.monotonic() - began < 30, "nobody took the import over"
        time.sleep(0.05)


def sums(api: Api, path: str) -> Any:
    found = body_of(api.get(f"{path}/holdings"))
    return [(row["asset"], row["amount"], row["cost_basis"]) for row in found["results"]]


def test_a_killed_worker_leaves_nothing_and_the_next_one_comes_to_the_same_end(
    api: Api, portfolio: Portfolio, start: Start
) -> None:
    path = f"portfolios/{portfolio.pk}"
    one = f"{path}/imports/{body_of(upload(api, path, FILE))['id']}"
    answer = api.post(f"{one}/commit", {})
    assert (answer.status_code, body_of(answer)["state"]) == (202, "committing")
    work = body_of(answer)["job"]
    assert body_of(api.post(f"{one}/commit", {}))["job"] == work
    assert body_of(api.post(f"{one}/undo", {}))["code"] == "import_not_open"
    for verb, end, rows, held in (
        ("commit", "committed", LINES, [("BTC", "150", "6000000")]),
        ("undo", "undone", LINES, []),
    ):
        if verb == "undo":
            work = body_of(api.post(f"{one}/undo", {"reason": "Wrong"}))["job"]
        before = list(Transaction.objects.standing().values_list("pk", flat=True))
        victim = start(work)
        assert said(victim) == "written"
        victim.kill()
        victim.wait()
        assert list(Transaction.objects.standing().values_list("pk", flat=True)) == before
        assert body_of(api.get(one))["state"] in {"committing", "undoing"}
        take_over()
        assert actions.run_import(work_id=UUID(work), worker="next", read_clock=clock.now)
        found = body_of(api.get(one))
        assert (found["state"], found["posted"], found["job"]) == (end, LINES, None)
        assert (Transaction.objects.count(), sums(api, path)) == (rows, held)
    assert [row.state for row in ImportWork.objects.order_by("id")] == ["succeeded", "succeeded"]


def test_one_that_cannot_be_booked_waits_as_a_preview_and_says_why(api: Api, portfolio: Portfolio) -> None:
    path = f"portfolios/{portfolio.pk}"
    one = f"{path}/imports/{body_of(upload(api, path, FILE))['id']}"
    work = ImportWork.objects.get(pk=body_of(api.post(f"{one}/commit", {}))["job"])
    lease = jobs.claim(model=ImportWork, work_id=work.pk, worker="test", now=clock.now())
    assert lease is not None
    lease.fail(code="stopped", detail="Somebody stopped it.")
    found = body_of(api.get(one))
    assert (found["state"], found["job"], found["problem"]) == ("preview", None, "Somebody stopped it.")


def test_the_page_says_that_it_is_under_way(user: User, api: Api, portfolio: Portfolio) -> None:
    client = Client()
    client.force_login(user)
    upload(api, f"portfolios/{portfolio.pk}", FILE)
    page = f"/imports/{FileImport.objects.get().pk}/"
    shown = client.post(f"{page}commit/", follow=True).content.decode()
    work = ImportWork.objects.get()
    assert f'data-job="{work.pk}"' in shown
    assert "being booked" in shown
    actions.run_import(work_id=work.pk, worker="test", read_clock=clock.now)
    assert "data-job=" not in client.get(page).content.decode()
    assert "being undone" in client.post(f"{page}undo/", follow=True).content.decode()
    assert "under way" in client.get("/imports/").content.decode()
