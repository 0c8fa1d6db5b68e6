"""The supervisor's parts, one by one; the whole is tested in tests/journeys/test_faults.py."""

import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import clock
from apps.operations.domain.processes import (
    HEALTHY_AFTER,
    LOG_LIMIT_BYTES,
    RESTART_FIRST,
    RESTART_LONGEST,
    Addresses,
    Program,
    StartError,
    product,
)
from apps.operations.domain.restarts import failures_after, restart_delay
from apps.operations.gateways import postgres, redis_server, unprivileged
from apps.operations.gateways.unprivileged import can_enter, find_ground
from apps.operations.supervisor import ports, preparing, surroundings
from apps.operations.supervisor.__main__ import add_up_arguments, main, wishes_of
from apps.operations.supervisor.folder import DataFolder, read_pairs
from apps.operations.supervisor.house import House
from apps.operations.supervisor.journals import Journal
from apps.operations.supervisor.surroundings import Wishes
from apps.operations.supervisor.up import simulated_ports

HERE = Addresses("127.0.0.1", 8000, 8001)
PORTS = {"binance": 18101, "coinbase": 18102, "kraken": 18103, "kucoin": 18104}


def make_wishes(
    *, host: str = "127.0.0.1", demo: bool = True, forecasts: bool = True, feed: str = "simulator"
) -> Wishes:
    """Return what somebody might ask for on the command line."""
    here = Addresses(host, 8000, 8001)
    return Wishes(data=Path("/nowhere"), addresses=here, demo=demo, forecasts=forecasts, feed=feed)


def names_of(
    *, with_trainer: bool = False, with_feed: bool = False, simulated: dict[str, int] | None = None
) -> list[str]:
    """Return the product's processes in their order."""
    programs = product(
        python="py",
        data="/d",
        addresses=HERE,
        with_trainer=with_trainer,
        with_feed=with_feed,
        simulated=simulated or {},
    )
    return [program.name for program in programs]


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[DataFolder]:
    """A data folder that is ready for use and locked."""
    folder = DataFolder(tmp_path)
    folder.prepare()
    folder.lock(purpose="a test")
    yield folder
    folder.release()


# --- restarts -------------------------------------------------------------------------------------------------------
def test_each_failure_doubles_the_wait_up_to_the_longest() -> None:
    assert [restart_delay(failures=count) for count in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert restart_delay(failures=1000) == RESTART_LONGEST


@given(st.integers(min_value=0, max_value=10_000))
def test_the_wait_never_shrinks_and_stays_in_bounds(failures: int) -> None:
    wait = restart_delay(failures=failures)
    assert RESTART_FIRST <= wait <= restart_delay(failures=failures + 1) <= RESTART_LONGEST


def test_a_minute_of_health_forgives_what_was() -> None:
    assert failures_after(failures=5, lived=HEALTHY_AFTER) == 1
    assert failures_after(failures=5, lived=HEALTHY_AFTER - 1) == 6


# --- the table ------------------------------------------------------------------------------------------------------
def test_the_trainer_is_absent_without_forecasts() -> None:
    assert names_of(with_trainer=True) == ["web", "live", "worker", "trainer", "beat"]
    assert names_of() == ["web", "live", "worker", "beat"]


def test_prices_bring_the_feed_and_the_demo_world_its_exchanges() -> None:
    assert names_of(with_feed=True) == ["web", "live", "worker", "feed", "beat"]
    assert names_of(with_feed=True, simulated=PORTS) == ["simulator", "web", "live", "worker", "feed", "beat"]


@pytest.mark.parametrize(
    ("feed", "expected"), [("simulator", (True, True)), ("live", (True, False)), ("off", (False, False))]
)
def test_each_source_of_prices_has_its_processes(feed: str, expected: tuple[bool, bool]) -> None:
    wishes = make_wishes(feed=feed)
    assert (wishes.with_feed, wishes.with_simulator) == expected


@pytest.mark.parametrize(
    ("words", "feed"),
    [((), "simulator"), (("--no-demo",), "live"), (("--no-demo", "--feed", "simulator"), "simulator")],
)
def test_without_the_demo_world_prices_are_live_unless_said_otherwise(words: tuple[str, ...], feed: str) -> None:
    parser = ArgumentParser()
    add_up_arguments(parser)
    assert wishes_of(parser.parse_args(words)).feed == feed


def test_forecasts_need_a_python_that_tensorflow_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_wishes().with_trainer
    assert not make_wishes(forecasts=False).with_trainer
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    assert not make_wishes().with_trainer


# --- surroundings ---------------------------------------------------------------------------------------------------
def test_addresses_default_to_localhost_and_follow_a_proxy() -> None:
    assert surroundings.public_addresses(make_wishes(), {}) == ("http://localhost:8000", "ws://localhost:8001")
    behind = {"PUBLIC_URL": "https://coins.example/"}
    assert surroundings.public_addresses(make_wishes(), behind) == ("https://coins.example", "wss://coins.example")


def test_the_demo_cannot_sign_in_beyond_loopback() -> None:
    assert make_wishes().demo_sign_in
    assert not make_wishes(host="0.0.0.0").demo_sign_in
    assert not make_wishes(demo=False).demo_sign_in


def test_secrets_go_into_the_private_file_and_not_into_the_environment(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    outside = {"SECRET_KEY": "hidden", "DATABASE_URL": "postgres://x", "PATH": "/bin"}
    inherited = surroundings.environment(folder, outside)
    assert inherited["PATH"] == "/bin"
    assert inherited["COINSPHERE_DATA"] == str(tmp_path)
    assert not {"SECRET_KEY", "DATABASE_URL"} & set(inherited)
    told = surroundings.facts(make_wishes(), names=("web", "beat"), started_at=clock.now(), outside=outside)
    assert (told["SECRET_KEY"], told["ENABLED_PROCESSES"]) == ("hidden", "web,beat")


# --- the data folder ------------------------------------------------------------------------------------------------
def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.prepare()
    first = read_pairs(tmp_path / "secrets.env")
    folder.prepare()
    assert read_pairs(tmp_path / "secrets.env") == first
    assert all(len(value) >= 32 for value in first.values())
    for name in ("secrets.env", "master.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_secret_that_is_missing_is_added_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("SECRET_KEY=mine\n", encoding="utf-8")
    DataFolder(tmp_path).prepare()
    known = read_pairs(tmp_path / "secrets.env")
    assert known["SECRET_KEY"] == "mine"
    assert known["POSTGRES_PASSWORD"]


def test_a_second_holder_is_told_who_is_there(locked: DataFolder) -> None:
    locked.note(purpose="up", url="http://localhost:8000")
    with pytest.raises(StartError, match=rf"\(process {os.getpid()}\) at http://localhost:8000"):
        DataFolder(locked.root).lock(purpose="up")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StartError, match="cannot be written"):
        DataFolder(tmp_path / "file" / "data").prepare()


def test_guests_keep_the_services_up(locked: DataFolder) -> None:
    guest = DataFolder(locked.root)
    assert guest.enter_as_guest()
    assert not locked.close_to_guests()
    guest.leave_as_guest()
    assert locked.close_to_guests()
    assert not guest.enter_as_guest()


def test_guests_wait_until_the_tables_are_up_to_date(locked: DataFolder) -> None:
    guest = DataFolder(locked.root)
    locked.write_services({"DATABASE_URL": "postgres://x"})
    assert not guest.welcomes_guests()
    locked.note(purpose="up", ready=True)
    assert guest.welcomes_guests()
    locked.forget_services()
    assert not guest.welcomes_guests()


# --- ports ----------------------------------------------------------------------------------------------------------
def test_two_products_that_start_at_once_choose_other_ports_for_their_exchanges(tmp_path: Path) -> None:
    first, second = ports.Claims(tmp_path), ports.Claims(tmp_path)
    mine, theirs = simulated_ports(first), simulated_ports(second)  # nobody listens on any of them yet
    assert len({*mine.values(), *theirs.values()}) == 8
    first.release()
    second.release()
    port = next(iter(mine.values()))
    assert second.take(port)
    assert not first.take(port)
    second.release()


def test_a_free_port_can_be_had() -> None:
    port = ports.free_port()
    ports.demand(host="127.0.0.1", port=port, option="--port")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StartError, match=f"Port {port} is taken"):
        ports.demand(host="127.0.0.1", port=port, option="--port")


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(StartError, match="is not a port"):
        ports.demand(host="127.0.0.1", port=port, option="--port")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(StartError, match="is not an address of this machine"):
        ports.demand(host="192.0.2.1", port=ports.free_port(), option="--port")


# --- logs -----------------------------------------------------------------------------------------------------------
def test_only_warnings_reach_the_terminal_and_only_a_few(tmp_path: Path) -> None:
    said: list[str] = []
    journal = Journal(tmp_path, "worker", say=said.append)
    with journal.open() as handle:
        handle.write(b"x [info     ] calm\n" + b"x [warning  ] mind this\n" * 10 + b"x [error    ] half a li")
    journal.follow()
    assert said == ["worker: x [warning  ] mind this"] * 3
    assert journal.last_words() == "x [error    ] half a li"


@pytest.mark.parametrize(
    "line",
    [
        "x [warning  ] Not Found: /favicon.ico [django.request] request_id=1",
        "x [warning  ] Forbidden (CSRF) [django.security.csrf]",
        '{"event": "Not Found: /x", "logger": "django.request", "level": "warning"}',
        '{"level": "warning", "event": "x", "logger": "django.request"}',
    ],
)
def test_what_visitors_do_wrong_stays_in_the_log(line: str, tmp_path: Path) -> None:
    said: list[str] = []
    journal = Journal(tmp_path, "web", say=said.append)
    with journal.open() as handle:
        handle.write(f"{line}\n{line.replace('warning', 'error')}\n".encode())
    journal.follow()
    assert said == [f"web: {line.replace('warning', 'error')}"]


def test_a_full_log_is_put_aside_and_goes_on_empty(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "web")
    with journal.open() as handle:
        handle.write(b"x" * LOG_LIMIT_BYTES + b"\n")
        handle.flush()
        journal.follow()
        handle.write(b"after\n")
    assert journal.path.read_bytes() == b"after\n"
    assert (tmp_path / "web.log.1").stat().st_size == LOG_LIMIT_BYTES + 1


def test_on_a_full_disk_a_full_log_is_emptied_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_paths: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", no_room)
    journal = Journal(tmp_path, "web")
    with journal.open() as handle:
        handle.write(b"x" * LOG_LIMIT_BYTES + b"\n")
    journal.follow()
    assert journal.size() == 0
    assert not (tmp_path / "web.log.1").exists()


def test_nobody_else_can_open_the_lock_or_a_log(locked: DataFolder) -> None:
    Journal(locked.logs, "web").open().close()
    assert locked.enter_as_guest()
    for path in (locked.root / "lock", locked.root / "guests", locked.logs / "web.log"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_full_disk_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_room(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "lock"))

    monkeypatch.setattr(DataFolder, "lock", no_room)
    assert main(["supervise", "--data", str(tmp_path), "--port", "8124"]) == 1
    assert capsys.readouterr().err == f"The disk of {tmp_path / 'lock'} is full. Free some room and start again.\n"


# --- what has to be true before processes start ---------------------------------------------------------------------
def test_preparation_is_noted_for_this_code_and_this_database(
    locked: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(preparing, "_run", lambda _house, *options, failure: ran.append(options))
    house = cast("House", SimpleNamespace(folder=locked))
    assert not preparing.is_prepared(locked)
    preparing.prepare(house, "--with-demo")
    assert preparing.is_prepared(locked)
    preparing.prepare_tables(house)
    assert ran == [("--with-demo",)]
    preparing.forget(locked)
    assert not preparing.is_prepared(locked)
    preparing.prepare_tables(house)
    assert ran == [("--with-demo",), ("--tables-only",)]


def test_a_changed_static_file_asks_for_a_new_preparation(locked: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    code = locked.root / "code"
    (code / "static").mkdir(parents=True)
    monkeypatch.setattr(preparing, "CODE", code)
    monkeypatch.setattr(preparing, "_run", lambda _house, *_options, failure: None)
    preparing.prepare(cast("House", SimpleNamespace(folder=locked)))
    assert preparing.is_prepared(locked)
    (code / "static" / "new.css").write_text("a {}", encoding="utf-8")
    assert not preparing.is_prepared(locked)


# --- services -------------------------------------------------------------------------------------------------------
def test_a_cluster_of_another_version_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("16\n", encoding="utf-8")
    cluster = postgres.Cluster(folder=tmp_path, binaries=tmp_path, account=None, port=1, password="p")
    with pytest.raises(StartError, match="was made by PostgreSQL 16"):
        cluster.server()


def test_no_password_stands_in_a_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    cluster = postgres.Cluster(folder=folder, binaries=Path("/bin"), account=None, port=1, password="hidden")
    broker = redis_server.Broker(program=Path("r"), folder=tmp_path, account=None, port=1, password="hidden")
    programs: list[Program] = [*cluster.creation(), broker.server()]
    assert not [program for program in programs if "hidden" in " ".join(program.argv)]
    assert "requirepass hidden" in broker.server().stdin
    stand_in = replace(broker, program=None).server()
    assert (stand_in.stdin, "hidden" in " ".join(stand_in.argv)) == ("hidden\n", False)


def test_a_chosen_place_of_the_services_is_kept(tmp_path: Path) -> None:
    (tmp_path / "services.path").write_text(f"{tmp_path / 'elsewhere'}\n", encoding="utf-8")
    assert find_ground(data=tmp_path).folder == tmp_path / "elsewhere"


@pytest.mark.skipif(os.geteuid() != 0, reason="root: only it has to give way to another account")
def test_a_closed_data_folder_lets_the_services_account_through() -> None:
    with TemporaryDirectory() as place:
        Path(place).chmod(0o711)
        data = Path(place) / "data"
        data.mkdir(mode=0o700)
        ground = find_ground(data=data)
        assert ground.folder == data
        assert ground.account is not None
        assert can_enter(folder=data, account=ground.account)
        assert stat.S_IMODE(data.stat().st_mode) == 0o711


@pytest.mark.skipif(os.geteuid() != 0, reason="root: only it has to give way to another account")
def test_a_place_that_cannot_be_entered_is_left_for_a_shared_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unprivileged, "SHARED_HOME", tmp_path / "shared")
    closed = tmp_path / "closed" / "data"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o700)
    ground = find_ground(data=closed)
    assert ground.folder.parent == tmp_path / "shared"
    assert find_ground(data=closed).folder == ground.folder


# --- the house ------------------------------------------------------------------------------------------------------
_HOUSE = """
import os, sys
from pathlib import Path
from apps.operations.domain.processes import Program, StartError
from apps.operations.supervisor.folder import DataFolder
from apps.operations.supervisor.house import House, StopRequestedError
folder = DataFolder(Path(sys.argv[1])); folder.prepare(); folder.lock(purpose="a test")
house = House(folder, say=lambda line: print(line, flush=True), environment=os.environ)
try:
    house.start(Program("first", ("/bin/sleep", "100")))
    {body}
except StopRequestedError: print("stopping", flush=True)
except StartError as error: print(error, flush=True)
finally:
    house.stop(); house.close()
"""


def _run_house(folder: Path, body: str) -> str:
    script = _HOUSE.format(body=body)
    ended = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stderr == ""
    return ended.stdout


def test_a_child_that_dies_while_things_start_ends_the_start_at_once(tmp_path: Path) -> None:
    body = """house.start(Program("second", ("/bin/sh", "-c", "echo no luck; exit 3")))
    house.wait_until(lambda: False, seconds=50, failure="too late")"""
    said = _run_house(tmp_path, body)
    assert said.startswith("second ended while starting. no luck (All of it: ")


def test_a_failing_step_gives_its_last_words(tmp_path: Path) -> None:
    body = 'house.step(Program("step", ("/bin/sh", "-c", "echo broken; exit 1")), failure="It failed.", seconds=9)'
    assert _run_house(tmp_path, body).startswith("It failed. broken (All of it: ")


def test_what_waits_too_long_is_said(tmp_path: Path) -> None:
    assert _run_house(tmp_path, 'house.wait_until(lambda: False, seconds=0.2, failure="too late")') == "too late\n"


def test_a_child_that_ends_later_is_started_again(tmp_path: Path) -> None:
    body = """house.settle(); pid = Path(sys.argv[1]) / "run" / "first.pid"; old = pid.read_text()
    os.kill(int(old), 9); house.watch(until=lambda: pid.read_text() != old)"""
    assert "first ended unexpectedly (SIGKILL)" in _run_house(tmp_path, body)


def test_a_stubborn_child_is_killed_with_its_children(tmp_path: Path) -> None:
    body = """script = "trap '' TERM; sleep 77.125 & wait; sleep 77.125"
    house.start(Program("deaf", ("/bin/sh", "-c", script), stop_patience=0.5)); house.settle()
    os.kill(os.getpid(), 15); house.watch()"""
    assert _run_house(tmp_path, body) == "stopping\n"
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"77.125" in _said(path)]


def _said(path: Path) -> bytes:
    with suppress(OSError):  # others end processes at any time
        return path.read_bytes()
    return b""


# --- the command line -----------------------------------------------------------------------------------------------
def test_with_services_wants_a_command() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["with_services", "--throwaway"])
    assert ended.value.code == 2


def test_the_same_port_twice_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["supervise", "--data", str(tmp_path), "--port", "8123", "--live-port", "8123"]) == 1
    assert "Choose another with --live-port" in capsys.readouterr().err
