"""The data folder: its lock, its secrets, and the file that tells the processes where everything is."""

import base64
import errno
import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from apps.operations.domain.processes import STOP_ORPHANS, StartError

CODE = Path(__file__).resolve().parents[3]
_ORPHANS_GONE_IN = STOP_ORPHANS + 5.0


def _url_safe(count: int) -> str:
    return base64.urlsafe_b64encode(os.urandom(count)).decode()


_SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "JWT_SIGNING_SEED": lambda: _url_safe(32),
    "POSTGRES_PASSWORD": lambda: secrets.token_urlsafe(32),
    "REDIS_PASSWORD": lambda: secrets.token_urlsafe(32),
}


class DataFolder:
    """One instance's files. Whoever holds the lock may start services in it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.run = self.root / "run"
        self.logs = self.root / "logs"
        self.metrics = self.run / "metrics"  # where processes put their counters for the page process to add up
        self.services_file = self.run / "services.env"
        self.first_run_file = self.root / "first-run.json"
        self._lock: IO[str] | None = None
        self._guests: IO[str] | None = None

    def prepare(self) -> None:
        """Make what is missing: the folders, the secrets and the master key."""
        try:
            for folder in (self.root, self.run, self.logs, self.metrics):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.run, self.logs):
                folder.chmod(0o700)
            self._complete_secrets()
        except OSError as error:
            raise StartError(f"The data folder {self.root} cannot be written: {error.strerror}.") from error

    def _complete_secrets(self) -> None:
        path = self.root / "secrets.env"
        known = read_pairs(path)
        missing = {name: make() for name, make in _SECRETS.items() if name not in known}
        if missing:
            write_pairs(path, known | missing)
        master_key = self.root / "master.key"
        if not master_key.exists():
            write_private(master_key, _url_safe(32) + "\n")

    def secret(self, name: str) -> str:
        """Return one of the generated secrets."""
        return read_pairs(self.root / "secrets.env")[name]

    # --- the lock ---------------------------------------------------------------------------------------------------
    @property
    def lock_descriptor(self) -> int:
        """Return the open lock, which the guard inherits: it is free only when nothing of ours lives any more."""
        if self._lock is None:
            raise RuntimeError("The data folder is not locked.")
        return self._lock.fileno()

    def try_lock(self, *, purpose: str) -> bool:
        """Take the lock if it is free, and write down who holds it."""
        handle = _held(self.root / "lock", fcntl.LOCK_EX)
        if handle is None:
            return False
        self._lock = handle
        self.note(purpose=purpose)
        return True

    def lock(self, *, purpose: str) -> None:
        """Take the lock, or say who holds it; what a killed run left behind is given time to end."""
        deadline = time.monotonic() + _ORPHANS_GONE_IN
        while not self.try_lock(purpose=purpose):
            holder = self.holder()
            process = holder.get("process")
            if time.monotonic() > deadline or (isinstance(process, int) and _is_alive(process)):
                raise StartError(_taken(self.root, holder))
            time.sleep(0.1)

    def release(self) -> None:
        """Let go of the lock and of the list of guests."""
        for handle in (self._lock, self._guests):
            if handle is not None:
                handle.close()
        self._lock = self._guests = None

    def note(self, **facts: object) -> None:
        """Write into the lock who holds it, for whoever asks next."""
        handle = self._lock
        if handle is not None:
            handle.seek(0)
            handle.truncate()
            handle.write(json.dumps({"process": os.getpid()} | facts))
            handle.flush()

    def holder(self) -> dict[str, object]:
        """Return what the holder of the lock wrote about itself."""
        with suppress(OSError, ValueError):
            noted = json.loads((self.root / "lock").read_text(encoding="utf-8"))
            if isinstance(noted, dict):
                return noted
        return {}

    # --- guests: commands that use services which somebody else runs ------------------------------------------------
    def enter_as_guest(self) -> bool:
        """Count this process as a user of the running services until it ends; False while they are stopping."""
        handle = _held(self.root / "guests", fcntl.LOCK_SH)
        if handle is None:
            return False
        fcntl.fcntl(handle, fcntl.F_SETFD, 0)  # a command that takes our place keeps it
        self._guests = handle
        return True

    def welcomes_guests(self) -> bool:
        """Say whether the services run and their tables are up to date."""
        return self.services_file.exists() and self.holder().get("ready") is True

    def leave_as_guest(self) -> None:
        """Stop counting as a user of the services."""
        if self._guests is not None:
            self._guests.close()
            self._guests = None

    def close_to_guests(self) -> bool:
        """Let no more guests in; False while there still are some."""
        handle = _held(self.root / "guests", fcntl.LOCK_EX)
        if handle is not None:
            self._guests = handle
        return handle is not None

    # --- what the processes read ------------------------------------------------------------------------------------
    def write_services(self, values: Mapping[str, str]) -> None:
        """Tell every process and command where the services are."""
        write_pairs(self.services_file, values)

    def forget_services(self) -> None:
        """The services are gone: nobody must find their addresses."""
        self.services_file.unlink(missing_ok=True)


def _held(path: Path, kind: int) -> IO[str] | None:
    """Open and lock a file that nobody else may even open: whoever can could hold the lock against us."""
    handle = open(path, "a+", encoding="utf-8", opener=open_private)  # noqa: SIM115 - pathlib takes no opener
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def open_private(path: str, flags: int) -> int:
    """Open for `open`: a new file can be read by nobody else, an old one no longer."""
    descriptor = os.open(path, flags, 0o600)
    with suppress(PermissionError):
        os.fchmod(descriptor, 0o600)
    return descriptor


def read_pairs(path: Path) -> dict[str, str]:
    """Read NAME=value lines; a file that is not there holds nothing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def write_pairs(path: Path, values: Mapping[str, str]) -> None:
    """Write NAME=value lines that only we can read."""
    write_private(path, "".join(f"{name}={value}\n" for name, value in values.items()))


def write_private(path: Path, text: str) -> None:
    """Write the file whole or not at all, readable by nobody else at any moment."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)


def refused(error: OSError, folder: DataFolder) -> str:
    """Return the sentence for what the system would not do in the data folder."""
    place = error.filename or folder.root
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk of {place} is full. Free some room and start again."
    return f"{place} cannot be used: {error.strerror}. See to that, or start with another --data."


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _taken(root: Path, holder: Mapping[str, object]) -> str:
    process, purpose, url = holder.get("process", "unknown"), holder.get("purpose", "up"), holder.get("url")
    if purpose == "up" and url:
        where = f"Coinsphere is already running on {root} (process {process}) at {url}."
        return f"{where} Stop that one first, or start a second one with --data."
    what = f"The data folder {root} is in use by `{purpose}` (process {process})."
    return f"{what} Wait for it to end, or start with another --data."
