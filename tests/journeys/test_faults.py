"""What happens to a running product: stops, kills of each process, a second start, a bad migration, a taken port."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from apps.core import clock
from apps.operations.supervisor.folder import CODE, read_pairs
from apps.operations.supervisor.ports import free_port
from tests.journeys.product import QUIET, Product, clean_environment, housed, living, supervisor, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

STOP_LIMIT = 10.0
ORPHAN_LIMIT = 10.0
RECOVERY_LIMIT = 60.0


@pytest.fixture(scope="module")
def shared() -> Iterator[Product]:
    """One data folder for all tests of this module: its first start is the slow one."""
    with housed("faults") as root:
        product = Product(root / "data")
        yield product
        product.stop()


@pytest.fixture
def product(shared: Product) -> Product:
    """The product, up and well."""
    if not shared.is_running:
        shared.stop()
        shared.start()
    wait_for(shared.is_well, seconds=RECOVERY_LIMIT, what="every process to be well")
    return shared


def test_ready_means_that_every_process_has_answered(product: Product) -> None:
    assert product.facts["url"] == f"http://localhost:{product.port}"
    assert product.get("/health/startup") == (200, '{"status":"ok","missing":[]}')
    processes = product.health()["processes"]
    assert isinstance(processes, list)
    assert {row["name"] for row in processes} >= {"web", "live", "worker", "beat"}


def test_nobody_else_can_read_a_secret(product: Product) -> None:
    files = ["secrets.env", "master.key", "run/services.env"]
    assert [stat.S_IMODE((product.data / name).stat().st_mode) for name in files] == [0o600] * 3
    values = [value.encode() for value in read_pairs(product.data / "secrets.env").values()]
    for name in ("web", "live", "worker", "beat", "redis", "postgres"):
        process = Path("/proc") / str(product.process(name))
        seen = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        assert b"COINSPHERE_DATA=" in seen or name in {"redis", "postgres"}  # these two write over theirs
        assert not [value for value in values if value in seen]


@pytest.mark.parametrize("name", ["web", "live", "worker", "beat", "redis", "postgres"])
def test_a_killed_process_is_started_again_and_serves(product: Product, name: str) -> None:
    before, killed_at = product.process(name), clock.now()
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: product.process(name) not in {0, before}, seconds=RECOVERY_LIMIT, what=f"a new {name}")
    wait_for(product.is_well, seconds=RECOVERY_LIMIT, what="every process to be well")
    if name in {"web", "live", "worker", "beat"}:
        wait_for(
            lambda: _started_at(product, name) > killed_at, seconds=RECOVERY_LIMIT, what=f"a sign of life of {name}"
        )
    assert product.is_running
    assert f"{name} ended unexpectedly (SIGKILL)" in product.errors.read_text(encoding="utf-8")


def test_a_killed_guard_is_replaced(product: Product) -> None:
    def command_line(child: str) -> bytes:
        # the supervisor starts and ends short processes all the time: a child of the list may be gone by now
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{child}/cmdline").read_bytes()
        return b""

    guards: list[int] = []

    def is_there(*, beside: int = 0) -> bool:
        # the list of children may leave one out while another one ends
        children = Path(f"/proc/{product.number}/task/{product.number}/children").read_text(encoding="utf-8").split()
        guards[:] = [int(child) for child in children if b"guard.py" in command_line(child) and int(child) != beside]
        return bool(guards)

    wait_for(is_there, seconds=10, what="the guard")
    before = guards[0]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: is_there(beside=before), seconds=10, what="a new guard")


def test_a_second_start_says_at_once_who_is_there(product: Product) -> None:
    began_at = time.monotonic()
    second = _run("supervise", "--data", str(product.data), "--port", str(free_port()))
    assert second.returncode == 1
    assert time.monotonic() - began_at < 5
    assert f"(process {product.number}) at http://localhost:{product.port}" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    assert not second.stdout


def test_a_command_uses_the_services_that_run(product: Product) -> None:
    database = product.process("postgres")
    words = ["--data", str(product.data), "--", "cat", str(product.data / "run" / "services.env")]
    command = _run("with_services", *words)
    assert command.returncode == 0
    assert "DATABASE_URL=postgres://coinsphere:" in command.stdout
    assert product.process("postgres") == database


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_everything_in_time(product: Product, number: signal.Signals) -> None:
    began_at = time.monotonic()
    product.send(number)
    assert product.wait(seconds=STOP_LIMIT) == 0
    assert time.monotonic() - began_at < STOP_LIMIT
    assert living(product.data) == []
    assert not (product.data / "run" / "services.env").exists()


def test_a_killed_supervisor_leaves_nothing_behind(product: Product) -> None:
    product.send(signal.SIGKILL)
    assert product.wait(seconds=5) == -signal.SIGKILL
    wait_for(lambda: not living(product.data), seconds=ORPHAN_LIMIT, what="every process to be gone")
    wait_for(lambda: not (product.data / "run" / "services.env").exists(), seconds=5, what="services.env to be gone")


def test_it_starts_again_right_after_it_was_killed(product: Product) -> None:
    product.send(signal.SIGKILL)
    product.wait(seconds=5)
    product.start()
    assert product.is_well()


def test_a_failing_migration_stops_what_was_started(tmp_path: Path, shared: Product) -> None:
    code = tmp_path / "code"
    for part in ("apps", "config", "templates", "static"):
        shutil.copytree(CODE / part, code / part, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    shutil.copy(CODE / "manage.py", code)
    (code / "apps/operations/migrations/0999_bad.py").write_text(_BAD_MIGRATION, encoding="utf-8")
    data = shared.data.with_name("bad-migration")
    ended = _run("supervise", "--data", str(data), "--port", str(free_port()), *QUIET, code=code)
    assert ended.returncode == 1
    assert "A migration failed and was rolled back: planted" in ended.stderr
    assert living(data) == []
    assert not (data / "run" / "services.env").exists()


def test_a_taken_port_is_named_with_the_way_out(shared: Product) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        data = shared.data.with_name("taken-port")
        ended = _run("supervise", "--data", str(data), "--port", str(port))
    assert ended.returncode == 1
    assert ended.stderr == f"Port {port} is taken by another program. Choose another with --port.\n"
    assert living(data) == []


def test_services_of_the_environment_are_used_and_none_started(shared: Product) -> None:
    database = settings.DATABASES["default"]
    place = f"{database['HOST']}:{database['PORT']}"
    url = f"postgres://{database['USER']}:{database['PASSWORD']}@{place}"
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS coinsphere_outside")
        connection.execute("CREATE DATABASE coinsphere_outside")
        try:
            outside = {"DATABASE_URL": f"{url}/coinsphere_outside", "REDIS_URL": settings.REDIS_URL}
            _use_outside_services(Product(shared.data.with_name("outside"), extra=outside))
        finally:
            connection.execute("DROP DATABASE coinsphere_outside WITH (FORCE)")


def _use_outside_services(product: Product) -> None:
    try:
        product.start()
        assert product.is_well()
        assert (product.process("postgres"), product.process("redis")) == (0, 0)
        assert not (product.data / "postgres").exists()
        assert b"DATABASE_URL" not in Path(f"/proc/{product.process('web')}/environ").read_bytes()
    finally:
        product.stop()
    assert living(product.data) == []


def _started_at(product: Product, name: str) -> datetime:
    rows = product.health().get("processes", [])
    assert isinstance(rows, list)
    values = [row["started_at"] for row in rows if row["name"] == name and row["started_at"]]
    return max((datetime.fromisoformat(value) for value in values), default=datetime.min.replace(tzinfo=UTC))


def _run(*words: str, code: Path = CODE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        supervisor(*words), capture_output=True, text=True, cwd=code, env=clean_environment(), timeout=120, check=False
    )


_LAST = max(path.stem for path in (CODE / "apps/operations/migrations").glob("0*.py"))
_BAD_MIGRATION = f"""
from django.db import migrations


def fail(apps, schema_editor):
    raise RuntimeError("planted")


class Migration(migrations.Migration):
    dependencies = [("operations", "{_LAST}")]
    operations = [migrations.RunPython(fail)]
"""
