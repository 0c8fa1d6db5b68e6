"""Health and metrics at the door."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import Role
from apps.accounts.tests.factories import make_owner, make_user
from apps.core import cache, clock
from apps.core.testing import assert_queries
from apps.operations.actions.heartbeats import beat
from apps.operations.gateways.metric_files import retire_ended
from apps.operations.queries import health
from apps.operations.tests.factories import make_beat

ENABLED = ["web", "live", "worker", "beat"]


@pytest.fixture(autouse=True)
def _enabled(settings: Settings) -> Iterator[None]:
    settings.ENABLED_PROCESSES = ENABLED
    health.migrations.forget()
    yield
    health.migrations.forget()


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every connection to the database fail, as when its server is stopped."""

    def _refuse(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", _refuse)
    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", _refuse)


def get(path: str, **more: Any) -> Any:
    return Client(raise_request_exception=False).get(path, **more)


@pytest.mark.django_db
def test_a_well_instance_says_so() -> None:
    for name in ENABLED:
        make_beat(name=name)
    assert get("/health/live").json() == {"status": "ok"}
    assert get("/health/ready").json() == {"status": "ok"}
    assert get("/health/startup").json() == {"status": "ok", "missing": []}
    body = get("/health").json()
    assert (body["status"], body["database"], body["migrations"], body["redis"]) == ("ok", "ok", "ok", "ok")
    assert [(one["name"], one["state"]) for one in body["processes"]] == [(name, "alive") for name in ENABLED]
    assert body["processes"][0]["last_seen_at"].endswith("Z")


@pytest.mark.django_db
def test_startup_waits_for_every_enabled_process() -> None:
    make_beat(name="web")
    make_beat(name="simulator")
    answer = get("/health/startup")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["live", "worker", "beat"])
    assert answer["Retry-After"]


@pytest.mark.django_db
def test_signs_of_life_from_before_this_start_do_not_count(settings: Settings) -> None:
    for name in ENABLED:
        make_beat(name=name)
    settings.STARTED_AT = (clock.now() + timedelta(seconds=1)).isoformat()
    assert get("/health/startup").json()["missing"] == ENABLED


@pytest.mark.django_db
def test_a_silent_process_is_late() -> None:
    for name in ENABLED:
        make_beat(name=name, last_seen_at=clock.now() - timedelta(seconds=31 if name == "worker" else 1))
    body = get("/health").json()
    assert body["status"] == "degraded"
    assert [one["state"] for one in body["processes"]] == ["alive", "alive", "late", "alive"]
    assert get("/health/startup").json()["missing"] == ["worker"]


@pytest.mark.django_db
def test_a_migration_that_is_not_applied_makes_it_unready() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'operations'")
    assert get("/health/ready").status_code == 503
    assert get("/health").json()["migrations"] == "pending"


@pytest.mark.usefixtures("database_away")
@pytest.mark.parametrize("cookies", [{}, {"coinsphere_session": "x" * 32}])
def test_health_answers_without_a_database(cookies: dict[str, str]) -> None:
    api = Client(raise_request_exception=False)
    for name, value in cookies.items():
        api.cookies[name] = value
    assert api.get("/health/live").status_code == 200
    body = api.get("/health")
    assert (body.status_code, body.json()["status"], body.json()["database"]) == (200, "down", "down")
    for path in ("/health/ready", "/health/startup"):
        answer = api.get(path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "2"), path


@pytest.mark.django_db
def test_health_answers_without_redis(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    cache.health.forget()
    assert get("/health/ready").status_code == 200
    body = get("/health").json()
    assert (body["status"], body["redis"], body["features"]["live_updates"]) == ("degraded", "down", "paused")


@pytest.mark.django_db
def test_health_is_not_limited_and_asks_nobody_who_they_are(settings: Settings) -> None:
    settings.API_RATES = {"anon": "1/m", "user": "1/m"}
    api = Client(headers={"Authorization": "Bearer nonsense"})
    assert {api.get("/health/live").status_code for _ in range(5)} == {200}


# --- Metrics --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "status"), [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.MEMBER, 403), (Role.VIEWER, 403)]
)
def test_metrics_are_for_those_who_run_the_instance(role: Role, status: int) -> None:
    api = Client()
    api.force_login(make_user(role=role))
    assert api.get("/metrics").status_code == status
    assert SESSION_KEY in api.session


@pytest.mark.django_db
def test_metrics_are_not_for_strangers_unless_their_address_is_listed(settings: Settings) -> None:
    assert get("/metrics").status_code == 401
    settings.METRICS_ALLOWED_ADDRESSES = ["10.0.0.0/8", "192.0.2.7"]
    assert get("/metrics").status_code == 401
    assert get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert get("/metrics", REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="6.6.6.6").status_code == 200
    assert get("/metrics", HTTP_X_FORWARDED_FOR="10.1.2.3").status_code == 401


@pytest.mark.django_db
def test_every_promised_metric_is_there() -> None:
    make_beat(name="web")
    api = Client()
    api.force_login(make_owner())
    api.get("/health/live")
    text = api.get("/metrics").content.decode()
    for name in (
        "django_http_requests_total_by_method_total",
        "coinsphere_database_up 1.0",
        "coinsphere_redis_up 1.0",
        'coinsphere_process_up{process="web"} 1.0',
        'coinsphere_process_up{process="live"} 0.0',
        "coinsphere_jobs",
        "coinsphere_throttle_hits_total",
    ):
        assert name in text, name


@pytest.mark.usefixtures("database_away")
def test_metrics_can_be_read_without_a_database(settings: Settings) -> None:
    settings.METRICS_ALLOWED_ADDRESSES = ["127.0.0.1"]
    answer = get("/metrics")
    assert answer.status_code == 200
    assert b"coinsphere_database_up 0.0" in answer.content


_COUNTING = """
import sys
from prometheus_client import Counter, Gauge
Counter("seen_total", "Seen.", ["what"]).labels(what="x").inc(int(sys.argv[1]))
Gauge("open_now", "Open.", multiprocess_mode="livesum").set(5)
"""


def test_counters_of_ended_processes_are_kept_and_their_files_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def count(number: int) -> None:
        subprocess.run([sys.executable, "-c", _COUNTING, str(number)], env=environment, check=True)

    count(2)
    count(3)
    assert retire_ended(tmp_path) == 4
    count(4)
    assert retire_ended(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["counter_ended.db"]
    reading = (
        "from apps.operations.gateways.metric_files import shared_registry\n"
        "from prometheus_client import generate_latest\n"
        "with shared_registry() as registry: print(generate_latest(registry).decode())\n"
    )
    shown = subprocess.run([sys.executable, "-c", reading], env=environment, check=True, capture_output=True, text=True)
    assert 'seen_total{what="x"} 9.0' in shown.stdout
    assert "open_now" not in shown.stdout


@pytest.mark.django_db
def test_a_beat_takes_two_queries() -> None:
    with assert_queries(2):
        beat(name="web", host="here", pid=1, started_at=clock.now(), version="1", now=clock.now())
