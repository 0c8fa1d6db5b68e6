"""The accounts of the first start, with random passwords that stand in a private file until they are changed."""

import json
import os
import secrets
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from apps.accounts import actions as accounts
from apps.operations.queries import people

_ADMIN = "admin@coinsphere.example"
_DEMO = "demo@coinsphere.example"
_PASSWORD_BYTES = 12

Note = dict[str, dict[str, str]]


def ensure_first_people(*, with_demo: bool, now: datetime) -> None:
    """Make the owner, and the demo account if wished for; note their passwords, forget those that were changed."""
    noted = _read()
    kept = {name: entry for name, entry in noted.items() if people.password_opens(**entry)}
    with transaction.atomic():
        if not people.has_owner():
            password = secrets.token_urlsafe(_PASSWORD_BYTES)
            kept["admin"] = {"email": _ADMIN, "password": password}
            accounts.create_person(email=_ADMIN, password=password, role=people.OWNER, display_name="Admin", now=now)
        if with_demo and not people.has_demo():
            password = secrets.token_urlsafe(_PASSWORD_BYTES)
            kept["demo"] = {"email": _DEMO, "password": password}
            accounts.create_person(
                email=_DEMO, password=password, role=people.MEMBER, display_name="Demo", is_demo=True, now=now
            )
        if kept != noted:
            _write(kept)


def _file() -> Path:
    return Path(settings.DATA_DIR) / "first-run.json"


def _read() -> Note:
    try:
        noted = json.loads(_file().read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {
        name: {"email": str(entry["email"]), "password": str(entry["password"])}
        for name, entry in noted.items()
        if isinstance(entry, dict) and {"email", "password"} <= set(entry)
    }


def _write(note: Note) -> None:
    """Write the file whole, closed to everybody else from its first moment."""
    draft = _file().with_name(".first-run.json")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        json.dump(note, handle, indent=2)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(_file())
