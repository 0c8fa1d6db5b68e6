"""The console: who may see it, what it says, and what can be done about jobs and the self-check."""

import json
import os
import socket
import subprocess
import sys
from typing import NoReturn
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.accounts.models import AuditEntry, Role, User
from apps.accounts.tests.factories import Api, make_owner, make_tokens, make_user
from apps.core import clock, jobs
from apps.core.models.work import WorkState
from apps.core.testing import assert_queries
from apps.operations import actions, queries
from apps.operations.actions.checks import CHECKS
from apps.operations.models import SelfCheck
from apps.operations.tests.factories import make_beat

pytestmark = pytest.mark.django_db

PAGES = ["/operations/", "/operations/jobs/", "/operations/self-check/"]
API = ["operations/console", "operations/jobs", "operations/self-check"]
QUERIES_OF_THE_PAGE = 8


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def program_of(user: User) -> Api:
    return Api(token=make_tokens(user=user).access)


def make_check(*, state: WorkState = WorkState.QUEUED) -> SelfCheck:
    check = actions.start_self_check(now=clock.now())
    if state == WorkState.PARKED:
        lease = jobs.claim(model=SelfCheck, work_id=check.pk, worker="test", now=clock.now())
        assert lease is not None
        lease.fail(code="broken", detail="It broke.")
    return check


# --- Who may ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_sign_in(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login/")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_to_others_the_console_does_not_exist(path: str, role: Role) -> None:
    assert browser_of(make_user(role=role)).get(path).status_code == 404


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_those_who_run_the_instance_see_it(path: str, role: Role) -> None:
    assert browser_of(make_user(role=role)).get(path).status_code == 200


@pytest.mark.parametrize("path", API)
def test_the_api_of_the_console_is_for_those_who_run_the_instance(path: str) -> None:
    make_check()
    assert program_of(make_user()).get(path).status_code == 403
    assert program_of(make_owner()).get(path).status_code == 200


# --- What it says ----------------------------------------------------------------------------------------------------
def test_the_page_asks_few_questions_however_many_jobs_there_are() -> None:
    client = browser_of(make_owner())
    for _ in range(5):
        make_check(state=WorkState.PARKED)
    client.get("/operations/")
    with assert_queries(QUERIES_OF_THE_PAGE + len(jobs.job_models())):  # each kind of work is counted once
        client.get("/operations/")


def test_without_redis_the_page_says_what_is_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser_of(make_owner())
    monkeypatch.setattr("apps.operations.queries.health.redis_is_up", lambda: False)
    assert "Redis does not answer" in client.get("/operations/").content.decode()


def test_parked_jobs_are_found_by_their_state() -> None:
    client = browser_of(make_owner())
    make_check(state=WorkState.PARKED)
    assert "It broke." in client.get("/operations/jobs/?show=parked").content.decode()
    assert "It broke." not in client.get("/operations/jobs/?show=open").content.decode()
    assert client.get("/operations/jobs/?show=nonsense").status_code == 404


# --- Jobs ------------------------------------------------------------------------------------------------------------
def test_a_job_is_cancelled_and_tried_again() -> None:
    client, check = browser_of(make_owner()), make_check()
    client.post(f"/operations/jobs/{check.pk}/cancel/")
    check.refresh_from_db()
    assert check.state == WorkState.CANCELLED
    client.post(f"/operations/jobs/{check.pk}/retry/")
    check.refresh_from_db()
    assert check.state == WorkState.QUEUED
    logged = AuditEntry.objects.filter(target=str(check.pk)).order_by("pk").values_list("action", flat=True)
    assert list(logged) == ["job.cancelled", "job.retried"]


def test_a_job_that_is_over_cannot_be_cancelled_and_the_page_says_so() -> None:
    client, check = browser_of(make_owner()), make_check(state=WorkState.PARKED)
    answer = client.post(f"/operations/jobs/{check.pk}/cancel/", follow=True)
    check.refresh_from_db()
    assert check.state == WorkState.FAILED
    assert jobs.WorkIsOverError.default_detail in answer.content.decode()


def test_an_unknown_job_is_404_over_the_api() -> None:
    answer = program_of(make_owner()).post(f"operations/jobs/{uuid4()}/cancel")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (404, "job_not_found")


def test_acts_on_jobs_are_posts_only() -> None:
    client, check = browser_of(make_owner()), make_check()
    assert client.get(f"/operations/jobs/{check.pk}/cancel/").status_code == 405


# --- The self-check --------------------------------------------------------------------------------------------------
def test_a_second_start_shows_the_check_that_is_under_way() -> None:
    api = program_of(make_owner())
    first = api.post("operations/self-check")
    second = api.post("operations/self-check")
    assert (first.status_code, second.status_code) == (202, 202)
    assert SelfCheck.objects.count() == 1


def test_the_check_runs_through_and_keeps_what_it_found() -> None:
    check = make_check()
    assert actions.run_self_check(work_id=check.pk, worker="test", read_clock=clock.now)
    check.refresh_from_db()
    assert check.state == WorkState.SUCCEEDED
    assert [finding["code"] for finding in check.findings][:3] == ["database", "migrations", "redis"]
    assert len(check.findings) == len(CHECKS)


def test_a_check_that_another_worker_holds_is_left_alone() -> None:
    check = make_check()
    assert jobs.claim(model=SelfCheck, work_id=check.pk, worker="other", now=clock.now())
    assert not actions.run_self_check(work_id=check.pk, worker="test", read_clock=clock.now)


def test_redis_away_is_a_problem_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.operations.actions.checks.redis_client", _no_redis)
    findings = {finding.code: finding for finding in actions.check_everything(read_clock=clock.now)}
    assert findings["redis"].verdict == "problem"
    assert "REDIS_URL" in findings["redis"].fix


def _no_redis() -> NoReturn:
    raise RedisConnectionError("refused")


# --- What still runs -------------------------------------------------------------------------------------------------
def test_a_process_that_ended_here_does_not_count_as_running() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = socket.gethostname()
    for name, host, pid in (("web", here, os.getpid()), ("live", here, ended.pid), ("worker", "elsewhere", ended.pid)):
        make_beat(name=name, host=host, pid=pid)
    assert queries.living_processes(now=clock.now()) == ["web", "worker"]


# --- The admin -------------------------------------------------------------------------------------------------------
def test_only_the_admin_may_evaluate_and_style_in_place() -> None:
    client = browser_of(make_owner())
    assert "'unsafe-eval'" in client.get("/admin/").headers["Content-Security-Policy"]
    assert "'unsafe" not in client.get("/operations/").headers["Content-Security-Policy"]


admin.autodiscover()  # as the addresses do when they are loaded


@pytest.mark.parametrize("model", [model for model in apps.get_models() if admin.site.is_registered(model)])
def test_every_list_of_the_admin_opens(model: type[Model]) -> None:
    client = browser_of(make_owner())
    make_check()
    make_beat(name="web")
    assert client.get(reverse(path_name(model, "changelist"))).status_code == 200
    for row in model._default_manager.all()[:1]:
        assert client.get(reverse(path_name(model, "change"), args=[row.pk])).status_code == 200


def path_name(model: type[Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def test_every_table_of_ours_is_in_the_admin() -> None:
    ours = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    assert [model._meta.label for model in ours if not admin.site.is_registered(model)] == []
