"""Tables, static files and first accounts: the step that makes them, and the notes that say for what it has run."""

import hashlib
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from apps.operations.domain.processes import Program
from apps.operations.supervisor.folder import CODE, DataFolder
from apps.operations.supervisor.house import House

_PATIENCE = 900.0
_TABLES, _FILES = "migrated.sha256", "prepared.sha256"


def prepare(house: House, *options: str) -> None:
    """Bring everything up to date, and note for which code that was done."""
    tables, files = _tables_hash(), _files_hash()
    _run(house, *options, failure="The product could not be prepared.")
    _note(house.folder, _TABLES, tables)
    _note(house.folder, _FILES, files)


def prepare_tables(house: House) -> None:
    """Migrate, unless nothing that says how tables look has changed since the last time."""
    wanted = _tables_hash()
    if not _is_noted(house.folder, _TABLES, wanted):
        _run(house, "--tables-only", failure="The tables could not be brought up to date.")
        _note(house.folder, _TABLES, wanted)


def is_prepared(folder: DataFolder) -> bool:
    """Say whether the last preparation was for this code, so that processes may start while it is looked after."""
    return _is_noted(folder, _TABLES, _tables_hash()) and _is_noted(folder, _FILES, _files_hash())


def forget(folder: DataFolder) -> None:
    """The database is a new one: what was noted is not about it."""
    (folder.root / _TABLES).unlink(missing_ok=True)


def _run(house: House, *options: str, failure: str) -> None:
    program = Program("prepare", (sys.executable, "manage.py", "prepare", *options))
    house.step(program, failure=failure, seconds=_PATIENCE)


def _note(folder: DataFolder, name: str, wanted: str) -> None:
    (folder.root / name).write_text(wanted, encoding="utf-8")


def _is_noted(folder: DataFolder, name: str, wanted: str) -> bool:
    with suppress(OSError):
        return (folder.root / name).read_text(encoding="utf-8") == wanted
    return False


def _tables_hash() -> str:
    paths = sorted([*CODE.glob("apps/*/migrations/*.py"), CODE / "requirements.lock"])
    return _hash(path.relative_to(CODE).as_posix().encode() + _content(path) for path in paths)


def _files_hash() -> str:
    """Look at names, sizes and times only; whether a file really differs is for the step to find out."""
    places = [path for folder in ("static", "config") for path in sorted((CODE / folder).rglob("*")) if path.is_file()]
    facts = ((path, path.stat()) for path in places if path.suffix != ".pyc")
    return _hash(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode() for path, found in facts)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _hash(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
