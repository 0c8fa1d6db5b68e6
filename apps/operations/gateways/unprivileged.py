"""Which account embedded services run as, and where that account can reach their programs and their data."""

import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from apps.operations.domain.processes import Account, StartError

SHARED_HOME = Path("/var/lib/coinsphere")
_ACCOUNTS = ("postgres", "coinsphere", "nobody")
_MARKER = "services.path"


@dataclass(frozen=True, slots=True)
class Ground:
    """Where embedded services stand: their account (None: our own) and the folder that holds their data."""

    account: Account | None
    folder: Path


def find_account() -> Account | None:
    """Return the account for embedded services: our own, or an existing unprivileged one when we are root."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise StartError("PostgreSQL must not run as root, and this machine has no `nobody`. Start as an ordinary user.")


def find_ground(*, data: Path) -> Ground:
    """Return where the services' data lies and whose it is; once chosen, both are kept."""
    marker = data / _MARKER
    if marker.exists():
        folder = Path(marker.read_text(encoding="utf-8").strip())
        return Ground(_owner_of(folder) or find_account(), folder)
    account = _owner_of(data) or find_account()
    if account is None or _opened(data, account) or (data / "postgres").exists():
        return Ground(account, data)
    folder = SHARED_HOME / f"data-{secrets.token_hex(6)}"
    folder.mkdir(parents=True)
    folder.chmod(0o711)
    SHARED_HOME.chmod(0o755)
    marker.write_text(f"{folder}\n", encoding="utf-8")
    return Ground(account, folder)


def shared_folder(*, data: Path) -> Path | None:
    """Return the folder outside the data folder that holds its services' data, if there is one."""
    marker = data / _MARKER
    return Path(marker.read_text(encoding="utf-8").strip()) if marker.exists() else None


def _opened(data: Path, account: Account) -> bool:
    """Say whether the account can pass through the data folder; where only the folder itself bars it, let it."""
    if can_enter(folder=data, account=account):
        return True
    if not can_enter(folder=data.parent, account=account):
        return False
    data.chmod(0o711)  # whoever passes can list nothing, and every file with a secret is closed by itself
    return can_enter(folder=data, account=account)


def _owner_of(folder: Path) -> Account | None:
    """Return whose the cluster is, when we are root and an ordinary account made it."""
    cluster = folder / "postgres"
    if os.geteuid() != 0 or not cluster.exists():
        return None
    found = cluster.stat()
    return Account("", found.st_uid, found.st_gid) if found.st_uid else None


def can_enter(*, folder: Path, account: Account) -> bool:
    """Say whether the account may pass through the folder and every folder above it."""
    return _succeeds(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)], account)


def can_run(*, program: Path, account: Account) -> bool:
    """Say whether the account may start the program."""
    return _succeeds([str(program), "--version"], account)


def reachable_copy(*, root: Path, parts: tuple[Path, ...], label: str) -> Path:
    """Return a folder under /var/lib/coinsphere with a copy of these parts of `root`, made once for each label."""
    target = SHARED_HOME / label
    if target.exists():
        return target
    SHARED_HOME.mkdir(parents=True, exist_ok=True)
    SHARED_HOME.chmod(0o755)
    draft = SHARED_HOME / f".{label}-{secrets.token_hex(4)}"
    for part in parts:
        copy = draft / part.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if part.is_dir():
            shutil.copytree(part, copy, symlinks=True)
        else:
            shutil.copy2(part, copy)
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    try:
        draft.rename(target)
    except OSError:  # another start was faster; its copy is the same
        shutil.rmtree(draft)
    return target


def own_folder(*, folder: Path, account: Account | None) -> None:
    """Make the folder, closed to everyone but the account."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.user_id, account.group_id)


def _succeeds(argv: list[str], account: Account) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, no shell input
            argv,
            user=account.user_id,
            group=account.group_id,
            extra_groups=[],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0
