"""The papers keep up with the code: asked of this tree, and of copies with planted faults."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests import papers

ROOT = Path(settings.BASE_DIR)


@pytest.mark.parametrize("question", papers.QUESTIONS, ids=lambda question: question.__name__)
def test_the_papers_say_everything(question: papers.Question) -> None:
    assert question(ROOT) == []


WITHOUT_WORDS = (
    (papers.settings_without_words, 30),
    (papers.events_without_words, 5),
    (papers.tasks_without_words, 5),
    (papers.commands_without_words, 6),
    (papers.metrics_without_words, 15),
    (papers.codes_without_words, 50),
    (papers.socket_words_missing, 20),
    (papers.failures_without_words, 25),
)


@pytest.mark.parametrize(("question", "at_least"), WITHOUT_WORDS)
def test_without_papers_everything_is_missing(question: papers.Question, at_least: int, tmp_path: Path) -> None:
    for name in ("apps", "config", "coinsphere"):
        (tmp_path / name).symlink_to(ROOT / name)
    assert len(question(tmp_path)) >= at_least


def test_every_command_in_the_papers_exists() -> None:
    known = _commands()
    assert {"up", "test", "check", "backup"} <= known
    assert papers.commands_named(ROOT) <= known
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\./coinsphere (\w+)", readme)[:2] == ["up", "test"]


def _commands() -> set[str]:
    shown = subprocess.run(
        [sys.executable, ROOT / "coinsphere", "--help"], capture_output=True, text=True, check=True, timeout=30
    )
    return set(re.findall(r"^  ([a-z]+)\b", shown.stderr + shown.stdout, flags=re.MULTILINE))


# --- Each question can fail -----------------------------------------------------------------------------------------
def _scratch(folder: Path) -> Path:
    """Make the smallest tree in which nothing is missing."""
    for name in papers.PROMISED_HOWTOS:
        _write(folder / f"docs/howto/{name}.md", "# How\n")
    _write(folder / "README.md", "# Product\n\n[How](docs/howto/add-a-page.md#how)\n")
    _write(folder / "config/settings.py", '"""Settings."""\n')
    _write(folder / "apps/one/tasks.py", '"""Tasks."""\n')
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


PLANTED = [
    (papers.settings_without_words, "config/settings.py", 'DEPTH = env.int("DIVING_DEPTH", default=3)\n'),
    (papers.settings_without_words, "apps/one/actions.py", 'import os\n\nDEPTH = os.environ.get("DIVING_DEPTH")\n'),
    (papers.events_without_words, "apps/one/events.py", "class TeaBrewed(Event):\n    pass\n"),
    (papers.tasks_without_words, "apps/one/tasks.py", '@shared_task(time_limit=1, name="one.brew")\ndef brew(): ...\n'),
    (papers.commands_without_words, "apps/one/management/commands/brew.py", '"""Brew."""\n'),
    (papers.metrics_without_words, "apps/one/actions.py", 'cups = Counter(\n    "coinsphere_cups_total", "Cups.")\n'),
    (papers.codes_without_words, "apps/one/actions.py", 'class ColdError(InvalidError):\n    code = "too_cold"\n'),
    (papers.codes_without_words, "apps/core/api/problems.py", 'STANDARD = {\n    "teapot": (418, "a", "b"),\n}\n'),
    (papers.socket_words_missing, "apps/live/consumers.py", 'x = Refusal("too_cold", "Warm it.")\n'),
    (papers.socket_words_missing, "apps/live/domain/protocol.py", "class CloseCode(IntEnum):\n    COLD = 4418\n"),
    (papers.failures_without_words, "coinsphere", 'raise SetupError(f"The {what} boils over. Take it off.")\n'),
    (papers.failures_without_words, "apps/operations/supervisor/up.py", 'house.step(tea, failure="It is cold now.")\n'),
    (papers.links_that_lead_nowhere, "docs/tea.md", "[pot](pot.md)\n"),
    (papers.links_that_lead_nowhere, "docs/tea.md", "[pot](../README.md#pot)\n"),
    (papers.links_that_lead_nowhere, "docs/tea.md", "![pot](img/pot.png)\n"),
    (papers.files_that_are_not_there, "docs/tea.md", "See `apps/one/pot.py`.\n"),
    (papers.forbidden_words, "docs/tea.md", "It lies in /root/tea.\n"),
    (papers.forbidden_words, "docs/tea.md", "Fetched from registry.npmjs.org.\n"),
    (papers.forbidden_words, "docs/tea.md", "It is ready!\n"),
]


def test_a_complete_scratch_tree_has_nothing_missing(tmp_path: Path) -> None:
    root = _scratch(tmp_path)
    assert [problem for question in papers.QUESTIONS for problem in question(root)] == []


@pytest.mark.parametrize(("question", "name", "text"), PLANTED)
def test_a_planted_fault_is_found(question: papers.Question, name: str, text: str, tmp_path: Path) -> None:
    root = _scratch(tmp_path)
    _write(root / name, text)
    assert len(question(root)) == 1


def test_a_check_list_that_is_missing_is_found(tmp_path: Path) -> None:
    root = _scratch(tmp_path)
    (root / "docs/howto/add-a-setting.md").unlink()
    assert papers.howtos_missing(root) == ["docs/howto/add-a-setting.md is missing"]


def test_a_command_that_does_not_exist_is_found(tmp_path: Path) -> None:
    root = _scratch(tmp_path)
    _write(root / "README.md", "Run `./coinsphere brew`.\n")
    assert papers.commands_named(root) - _commands() == {"brew"}
