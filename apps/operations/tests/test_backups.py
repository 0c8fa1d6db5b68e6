"""A backup put back gives the same database and keys, or changes nothing at all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as product
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from apps.accounts.models import AuditEntry, User
from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.operations import actions
from apps.operations.actions import backups
from apps.operations.actions.backups import NewerBackupError, WeakPassphraseError
from apps.operations.gateways import dump, sealed_file
from apps.operations.gateways.sealed_file import DamagedBackupError, WrongPassphraseError

PASSPHRASE = "a phrase that nobody guesses"


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a data folder with keys of its own, and fewer rounds for its passphrase."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "secrets.env").write_text("SECRET_KEY=of-the-first\nPOSTGRES_PASSWORD=stays-here\n", encoding="utf-8")
    (folder / "master.key").write_text("first key", encoding="utf-8")
    settings.DATA_DIR, settings.MASTER_KEY_FILE = folder, str(folder / "master.key")
    monkeypatch.setattr(sealed_file.SealedWriter.__init__, "__kwdefaults__", {"rounds": 100_000})
    yield folder
    connection.close()


@pytest.fixture
def backup(tmp_path: Path, transactional_db: None) -> Path:
    make_user(email="kept@example.com")
    target = tmp_path / "instance.backup"
    actions.back_up(target=target, passphrase=PASSPHRASE, now=clock.now())
    return target


def test_the_same_people_and_keys_come_back(backup: Path, instance: Path) -> None:
    User.objects.all().delete()
    make_user(email="later@example.com")
    (instance / "master.key").write_text("another key", encoding="utf-8")
    (instance / "secrets.env").write_text("SECRET_KEY=other\nPOSTGRES_PASSWORD=of-this-machine\n", encoding="utf-8")
    actions.restore(source=backup, passphrase=PASSPHRASE, now=clock.now())
    assert list(User.objects.values_list("email", flat=True)) == ["kept@example.com"]
    assert (instance / "master.key").read_text(encoding="utf-8") == "first key"
    secrets = (instance / "secrets.env").read_text(encoding="utf-8")
    assert "SECRET_KEY=of-the-first" in secrets
    assert "POSTGRES_PASSWORD=of-this-machine" in secrets
    assert (instance / "master.key").stat().st_mode & 0o077 == 0


def test_backup_and_restore_are_in_the_log(backup: Path) -> None:
    assert AuditEntry.objects.get().action == "instance.backed_up"
    actions.restore(source=backup, passphrase=PASSPHRASE, now=clock.now())
    assert AuditEntry.objects.get().action == "instance.restored"


def test_a_backup_of_a_later_form_is_refused(
    tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "FORMAT", 2)
    actions.back_up(target=tmp_path / "later.backup", passphrase=PASSPHRASE, now=clock.now())
    monkeypatch.setattr(backups, "FORMAT", 1)
    with pytest.raises(NewerBackupError):
        actions.restore(source=tmp_path / "later.backup", passphrase=PASSPHRASE, now=clock.now())


def test_the_environment_of_a_dump_names_the_password_file_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    program = tmp_path / "pg_dump"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\ncat $PGPASSFILE > {tmp_path}/pass\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(dump, "find_binaries", lambda *, account: tmp_path)
    dump.dump_database(database={"NAME": "x", "PASSWORD": r"hid:den\\"}, target=tmp_path / "out")
    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert "hid" not in seen
    assert PASSPHRASE not in seen
    assert (tmp_path / "pass").read_text(encoding="utf-8").endswith("hid\\:den\\\\\\\\\n")


def test_a_wrong_passphrase_touches_nothing(backup: Path, instance: Path) -> None:
    make_user(email="later@example.com")
    with pytest.raises(WrongPassphraseError):
        actions.restore(source=backup, passphrase="another phrase altogether", now=clock.now())
    assert User.objects.filter(email="later@example.com").exists()
    assert list(instance.glob("restore-*")) == []


def test_a_cut_file_touches_nothing(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:-100])
    make_user(email="later@example.com")
    with pytest.raises(DamagedBackupError):
        actions.restore(source=backup, passphrase=PASSPHRASE, now=clock.now())
    assert User.objects.filter(email="later@example.com").exists()


def test_a_backup_of_a_newer_version_is_refused(backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups, "_known_migrations", lambda: ["accounts.0001_people"])
    with pytest.raises(NewerBackupError, match="Update Coinsphere first"):
        actions.restore(source=backup, passphrase=PASSPHRASE, now=clock.now())


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeakPassphraseError):
        actions.back_up(target=tmp_path / "x", passphrase="short", now=clock.now())
    assert not (tmp_path / "x").exists()


def test_nothing_of_the_database_can_be_read_in_the_file(backup: Path) -> None:
    assert b"kept@example.com" not in backup.read_bytes()
    assert backup.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_without_a_terminal_the_passphrase_has_to_be_in_the_environment(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    def nobody(_question: str) -> str:
        raise EOFError

    monkeypatch.delenv("BACKUP_PASSPHRASE", raising=False)
    monkeypatch.setattr("getpass.getpass", nobody)
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="Set BACKUP_PASSPHRASE"):
        call_command(command, str(tmp_path / "file"))


def test_a_place_that_is_not_there_is_refused_before_anything_is_dumped(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Choose another place"):
        call_command("backup", str(tmp_path / "missing" / "file"))


def _manage(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=product.BASE_DIR, capture_output=True, text=True, check=False, timeout=60)


def test_a_failure_is_a_sentence_and_nothing_else(tmp_path: Path) -> None:
    done = _manage("backup", str(tmp_path / "missing" / "file"))
    sentence = f"{tmp_path / 'missing'} cannot be written. Choose another place for the backup.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)
    assert "FILE" in _manage("help", "backup").stdout.upper()


def test_doctor_prints_json_for_programs() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=product.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    findings = json.loads(done.stdout)
    assert {"database", "redis", "vault"} <= {finding["code"] for finding in findings}
    has_problem = any(finding["verdict"] == "problem" for finding in findings)
    assert done.returncode == int(has_problem)
