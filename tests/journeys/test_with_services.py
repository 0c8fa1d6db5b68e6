"""A command with services around it: its output, its exit code, its signals, and what is left when it ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apps.operations.supervisor.folder import CODE
from tests.journeys.product import clean_environment, living, supervisor, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

_SHOW_DATA = "import os; print(os.environ['COINSPHERE_DATA'], flush=True)"
_WAIT = f"{_SHOW_DATA}; import time; time.sleep(120)"
_ASK_BOTH = """
import os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    print(connection.execute("SHOW server_version_num").fetchone()[0] >= "180000")
print(redis.Redis.from_url(os.environ["REDIS_URL"]).ping())
"""


def _throwaway(*command: str) -> list[str]:
    return supervisor("with_services", "--throwaway", "--", *command)


def _start(script: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        _throwaway(sys.executable, "-c", script), stdout=subprocess.PIPE, text=True, cwd=CODE, env=clean_environment()
    )


def _folder_of(process: "subprocess.Popen[str]") -> Path:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line
    return Path(line)


def test_both_services_answer_and_standard_output_is_the_commands_alone() -> None:
    ended = subprocess.run(
        _throwaway(sys.executable, "-c", _ASK_BOTH),
        capture_output=True,
        text=True,
        cwd=CODE,
        env=clean_environment(),
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True\nTrue\n", "")


def test_the_exit_code_passes_through_and_nothing_is_left() -> None:
    with _start(f"{_SHOW_DATA}; raise SystemExit(7)") as process:
        folder = _folder_of(process)
        assert process.wait(timeout=30) == 7
    assert not folder.exists()
    assert living(folder) == []


def test_a_signal_reaches_the_command() -> None:
    with _start(_WAIT) as process:
        folder = _folder_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert not folder.exists()


def test_a_kill_leaves_neither_processes_nor_files() -> None:
    with _start(_WAIT) as process:
        folder = _folder_of(process)
        process.kill()
        process.wait(timeout=30)
        wait_for(lambda: not living(folder) and not folder.exists(), seconds=30, what="an empty place")


def test_a_command_that_does_not_exist_is_named() -> None:
    ended = subprocess.run(
        _throwaway("no-such-command"), capture_output=True, text=True, cwd=CODE, env=clean_environment(), check=False
    )
    assert ended.returncode == 127
    assert ended.stderr == "no-such-command cannot be run: No such file or directory.\n"


def test_services_are_up_within_seconds() -> None:
    began_at = time.monotonic()
    with _start(_SHOW_DATA) as process:
        _folder_of(process)
        process.wait(timeout=30)
    assert time.monotonic() - began_at < 60
