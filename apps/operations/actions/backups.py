"""Back up the whole instance into one sealed file, and put it back."""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import connection

from apps.accounts.actions import record_audit
from apps.core.errors import ConflictError, InvalidError
from apps.operations.gateways import dump, sealed_file
from apps.operations.gateways.sealed_file import DamagedBackupError

SHORTEST_PASSPHRASE = 10
FORMAT = 1
MIGRATED_STAMP = "migrated.sha256"
DUMP, SECRETS, MASTER_KEY, MANIFEST = "database.dump", "secrets.env", "master.key", "manifest.json"
# What a backup carries over of the secrets file; service passwords belong to the machine they were made on.
KEPT_SECRETS = ("SECRET_KEY", "JWT_SIGNING_SEED")
_LARGEST_MANIFEST = 1 << 20


class WeakPassphraseError(InvalidError):
    """The passphrase is too short to protect everything one owns."""

    code = "weak_passphrase"
    default_detail = f"Use a passphrase of at least {SHORTEST_PASSPHRASE} characters; everything hangs on it."


class NewerBackupError(ConflictError):
    """The backup was made by a newer version than this one."""

    code = "newer_backup"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself, checked before anything is put back."""

    format: int
    version: str
    created_at: str
    migrations: list[str]
    digests: dict[str, str]


def back_up(*, target: Path, passphrase: str, now: datetime) -> Manifest:
    """Write everything the instance is made of into one sealed file; replace the file only when it is complete."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise WeakPassphraseError
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix="backup-") as folder:
        parts = _collect(folder=Path(folder))
        manifest = Manifest(
            format=FORMAT,
            version=settings.VERSION,
            created_at=now.isoformat(),
            migrations=_applied_migrations(),
            digests={part.name: _digest(part) for part in parts},
        )
        head = Path(folder) / MANIFEST
        head.write_text(json.dumps(asdict(manifest)), encoding="utf-8")
        _write_sealed(target=target, parts=[head, *parts], passphrase=passphrase)
    record_audit(actor=None, action="instance.backed_up", now=now)
    return manifest


def restore(*, source: Path, passphrase: str, now: datetime) -> Manifest:
    """Read and prove the whole file first, then put back the database and the keys that belong to it."""
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix="restore-") as folder:
        with source.open("rb") as file:
            _unpack(file=file, folder=Path(folder), passphrase=passphrase)
        manifest = _proven_manifest(Path(folder))
        connection.close()
        dump.restore_database(database=connection.settings_dict, source=Path(folder) / DUMP)
        (Path(settings.DATA_DIR) / MIGRATED_STAMP).unlink(missing_ok=True)
        _put_back_keys(Path(folder))
    if set(_known_migrations()) <= set(_applied_migrations()):  # else the next start brings the tables up to date
        record_audit(actor=None, action="instance.restored", now=now, detail={"made_at": manifest.created_at})
    return manifest


def _collect(*, folder: Path) -> list[Path]:
    parts = [folder / DUMP]
    dump.dump_database(database=connection.settings_dict, target=folder / DUMP)
    kept = [line for line in _secret_lines() if line.split("=", 1)[0] in KEPT_SECRETS]
    if kept:
        parts.append(_written(folder / SECRETS, "\n".join(kept) + "\n"))
    master_key = Path(settings.MASTER_KEY_FILE)
    if master_key.exists():
        parts.append(_written(folder / MASTER_KEY, master_key.read_text(encoding="utf-8")))
    return parts


def _write_sealed(*, target: Path, parts: list[Path], passphrase: str) -> None:
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as file:
            partial.chmod(0o600)
            with (
                sealed_file.SealedWriter(target=file, passphrase=passphrase) as writer,
                tarfile.open(fileobj=writer, mode="w|") as archive,
            ):
                for part in parts:
                    archive.add(part, arcname=part.name)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _unpack(*, file: BinaryIO, folder: Path, passphrase: str) -> None:
    reader = sealed_file.SealedReader(source=file, passphrase=passphrase)
    known = {DUMP, SECRETS, MASTER_KEY, MANIFEST}
    try:
        with tarfile.open(fileobj=reader, mode="r|") as archive:
            for member in archive:
                part = archive.extractfile(member) if member.name in known and member.isfile() else None
                if part is None:
                    raise DamagedBackupError
                with (folder / member.name).open("xb") as target:
                    shutil.copyfileobj(part, target)
        while reader.read(1 << 20):  # the seal of the last chunk must be seen too
            continue
    except (tarfile.TarError, FileExistsError) as error:
        raise DamagedBackupError from error


def _proven_manifest(folder: Path) -> Manifest:
    head = folder / MANIFEST
    if not head.exists() or head.stat().st_size > _LARGEST_MANIFEST:
        raise DamagedBackupError
    manifest = _read_manifest(head.read_text(encoding="utf-8"))
    for name, digest in manifest.digests.items():
        part = folder / name
        if not part.exists() or _digest(part) != digest:
            raise DamagedBackupError
    if DUMP not in manifest.digests:
        raise DamagedBackupError
    unknown = set(manifest.migrations) - set(_known_migrations())
    if unknown:
        raise NewerBackupError(
            f"This backup was made by version {manifest.version}, which is newer than {settings.VERSION}. "
            "Update Coinsphere first. Nothing was changed."
        )
    return manifest


def _read_manifest(text: str) -> Manifest:
    facts = json.loads(text)
    if facts.get("format") != FORMAT:
        raise NewerBackupError("This backup has a form that this version does not know. Update Coinsphere first.")
    try:
        return Manifest(**facts)
    except TypeError as error:
        raise DamagedBackupError from error


def _put_back_keys(folder: Path) -> None:
    if (folder / MASTER_KEY).exists():
        _replace_private(Path(settings.MASTER_KEY_FILE), (folder / MASTER_KEY).read_text(encoding="utf-8"))
    if (folder / SECRETS).exists():
        restored = (folder / SECRETS).read_text(encoding="utf-8").splitlines()
        others = [line for line in _secret_lines() if line.split("=", 1)[0] not in KEPT_SECRETS]
        _replace_private(_secrets_path(), "\n".join([*restored, *others]) + "\n")


def _replace_private(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    _written(partial, text)
    partial.replace(path)


def _written(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def _secrets_path() -> Path:
    return Path(settings.DATA_DIR) / SECRETS


def _secret_lines() -> list[str]:
    path = _secrets_path()
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _applied_migrations() -> list[str]:
    from django.db.migrations.recorder import MigrationRecorder

    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def _known_migrations() -> list[str]:
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [f"{app}.{name}" for app, name in loader.disk_migrations]
