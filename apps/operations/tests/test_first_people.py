"""The accounts of the first start."""

import json
import stat
from pathlib import Path

import pytest
from django.conf import settings

from apps.accounts.queries import people
from apps.accounts.tests.factories import make_owner
from apps.core import clock
from apps.operations.actions.first_people import ensure_first_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the first passwords are noted."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path / "first-run.json"


def test_the_first_start_makes_an_owner_and_a_demo_account(note: Path) -> None:
    ensure_first_people(with_demo=True, now=clock.now())
    noted = json.loads(note.read_text(encoding="utf-8"))
    admin, demo = (people().with_email(noted[name]["email"]).get() for name in ("admin", "demo"))
    assert (admin.role, demo.role, demo.is_demo) == ("owner", "member", True)
    assert admin.check_password(noted["admin"]["password"])
    assert demo.check_password(noted["demo"]["password"])
    assert stat.S_IMODE(note.stat().st_mode) == 0o600


def test_a_repeat_makes_nobody(note: Path) -> None:
    ensure_first_people(with_demo=True, now=clock.now())
    before = note.read_text(encoding="utf-8")
    ensure_first_people(with_demo=True, now=clock.now())
    assert note.read_text(encoding="utf-8") == before
    assert people().count() == 2


def test_without_the_demo_world_there_is_no_demo_account(note: Path) -> None:
    ensure_first_people(with_demo=False, now=clock.now())
    assert list(json.loads(note.read_text(encoding="utf-8"))) == ["admin"]


def test_an_instance_with_an_owner_gets_no_second_one(note: Path) -> None:
    make_owner()
    ensure_first_people(with_demo=False, now=clock.now())
    assert people().count() == 1
    assert not note.exists()


def test_a_password_that_was_changed_is_forgotten(note: Path) -> None:
    ensure_first_people(with_demo=True, now=clock.now())
    admin = people().owners().get()
    admin.set_password("a new one, kept elsewhere")
    admin.save()
    ensure_first_people(with_demo=True, now=clock.now())
    assert list(json.loads(note.read_text(encoding="utf-8"))) == ["demo"]
