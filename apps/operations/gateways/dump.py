"""PostgreSQL's own dump and restore programs, from the embedded package or from PATH."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from apps.core.errors import UnavailableError
from apps.operations.domain.processes import StartError
from apps.operations.gateways.postgres import find_binaries

_TIMEOUT = 3600
#: What a PostgreSQL program has no use for.
_LEFT_OUT = {
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "JWT_SIGNING_SEED",
    "BACKUP_PASSPHRASE",
    "EMAIL_URL",
    "PGPASSWORD",
}


class DumpFailedError(UnavailableError):
    """PostgreSQL's program ended with an error."""

    code = "database_dump_failed"


def _program(name: str) -> str:
    """Return the newest such program that is at hand: a dump must not be older than its server."""
    try:
        return str(find_binaries(account=None) / name)
    except StartError as error:
        found = shutil.which(name)
        if not found:
            missing = f"{name} is not on this machine. Install the PostgreSQL client programs and try again."
            raise DumpFailedError(missing) from error
        return found


def _environment(database: dict[str, Any], *, password_file: Path) -> dict[str, str]:
    """Hand the connection over in the environment and the password in a file: the process list shows neither."""
    return {
        **{name: value for name, value in os.environ.items() if name not in _LEFT_OUT},
        "PGHOST": str(database.get("HOST") or "127.0.0.1"),
        "PGPORT": str(database.get("PORT") or 5432),
        "PGUSER": str(database.get("USER") or ""),
        "PGPASSFILE": str(password_file),
        "PGDATABASE": str(database["NAME"]),
        "PGCONNECT_TIMEOUT": "10",
    }


def _run(command: list[str], *, database: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "pgpass"
        secret.touch(mode=0o600)
        secret.write_text(f"*:*:*:*:{_escaped(str(database.get('PASSWORD') or ''))}\n", encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - fixed programs, no shell
            command,
            env=_environment(database, password_file=secret),
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise DumpFailedError(f"PostgreSQL could not do it: {lines[-1]}. Nothing else was changed.")


def _escaped(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")


def dump_database(*, database: dict[str, Any], target: Path) -> None:
    """Write a consistent dump of the whole database, also while others write to it."""
    options = ["--format=custom", "--compress=gzip:6", "--no-owner", "--no-privileges", f"--file={target}"]
    _run([_program("pg_dump"), *options], database=database)


def restore_database(*, database: dict[str, Any], source: Path) -> None:
    """Put the dump in place of all that the database holds, in one transaction: all of it or nothing."""
    script = source.with_suffix(".sql")
    _run([_program("pg_restore"), "--no-owner", "--no-privileges", f"--file={script}", str(source)], database=database)
    empty = "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
    options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    _run([_program("psql"), *options, f"--command={empty}", f"--file={script}"], database=database)
