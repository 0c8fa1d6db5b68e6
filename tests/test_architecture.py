"""The house stands as HOUSE rules say: asked of this tree, and of copies with planted faults."""

from pathlib import Path

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from config.schedule import TICKS
from tests import house

ROOT = Path(settings.BASE_DIR)


@pytest.mark.parametrize("question", house.QUESTIONS, ids=lambda question: question.__name__)
def test_the_house_keeps_its_rules(question: house.Question) -> None:
    assert question(ROOT) == []


def test_every_job_line_has_a_sweep() -> None:
    lines = import_string(settings.SWITCHBOARD)
    scheduled = {tick.task for tick in TICKS}
    without = [line.target for line in lines if line.how == "job" and line.sweep not in scheduled]
    assert without == []


def _scratch_house(folder: Path) -> Path:
    """Make the smallest tree that keeps every rule."""
    files = {
        "config/settings.py": '"""Settings."""\nINSTALLED_APPS = ["apps.one", "apps.two"]\n',
        "config/switchboard.py": '"""Events."""\n',
        "config/schedule.py": '"""Ticks."""\n',
        "apps/one/__init__.py": '"""One."""\n',
        "apps/one/tasks.py": '"""Tasks."""\ntask(name="one.sweep")\n',
        "apps/two/__init__.py": '"""Two."""\n',
        "apps/two/actions.py": '"""Verbs."""\n\n\ndef act(*, now: int) -> None:\n    """Act."""\n',
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_clean_scratch_house_has_no_violations(tmp_path: Path) -> None:
    root = _scratch_house(tmp_path)
    assert [problem for question in house.QUESTIONS for problem in question(root)] == []


LONG_FUNCTION = "def long() -> None:\n" + "    pass\n" * 70
PLANTED = [
    (house.foreign_rooms, "apps/two/actions.py", "from apps.one.gateways import venue\n"),
    (house.foreign_rooms, "apps/two/views.py", "from apps.one.models import Thing\n"),
    (house.missing_docstrings, "apps/two/views.py", "x = 1\n"),
    (house.missing_docstrings, "apps/two/queries.py", '"""Questions."""\n\n\ndef ask() -> None:\n    return\n'),
    (house.keywords_only, "apps/two/queries.py", '"""Q."""\n\n\ndef ask(user: int) -> None:\n    """Ask."""\n'),
    (house.too_long, "apps/two/views.py", LONG_FUNCTION),
    (house.too_long, "apps/two/views.py", "x = 1\n" * 601),
    (house.tables_fit_a_screen, "config/schedule.py", "x = 1\n" * 61),
    (house.tasks_named_elsewhere, "apps/two/actions.py", 'send("one.sweep")\n'),
    (house.unlisted_apps, "apps/three/__init__.py", '"""Three."""\n'),
]


@pytest.mark.parametrize(("question", "name", "text"), PLANTED)
def test_a_planted_fault_is_found(question: house.Question, name: str, text: str, tmp_path: Path) -> None:
    root = _scratch_house(tmp_path)
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    assert len(question(root)) == 1
