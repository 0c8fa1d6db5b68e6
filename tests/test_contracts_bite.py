"""Each import contract refuses what it is for: one violation of each kind, planted in a scratch copy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)

# contract -> (file, line planted at its end). Every contract of .importlinter has at least one.
VIOLATIONS = {
    "Storeys": ("apps/markets/queries.py", "import apps.portfolios"),
    "Wiring": ("apps/accounts/events.py", "import config.schedule"),
    "Simulator": ("apps/markets/queries.py", "import apps.simulator"),
    "Rooms": ("apps/markets/queries.py", "import apps.markets.actions"),
    "Kernel": ("apps/core/money.py", "import apps.core.api"),
    "Pure domain": ("apps/portfolios/domain.py", "import django.db"),
    "Money firewall": ("apps/portfolios/queries.py", "import apps.signals"),
    "The outside is reached": ("apps/markets/queries.py", "import ccxt"),
    "Gateways stand behind": ("apps/markets/views.py", "import apps.markets.gateways"),
    "Tasks are called by name": ("apps/markets/actions.py", "import apps.markets.tasks"),
}
# What a violation needs to stand on, and an unknown room, which the rooms contract refuses by its name.
SCAFFOLD = ("apps/markets/gateways.py", "apps/markets/tasks.py", "apps/markets/actions.py")


def _lint(folder: Path) -> str:
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [script, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


def _verdicts(output: str) -> dict[str, str]:
    lines = re.findall(r"^(.+?) (KEPT|BROKEN)\b", output, flags=re.MULTILINE)
    return {name.split(":")[0]: verdict for name, verdict in lines}


def _contracts() -> list[str]:
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    return re.findall(r"^name = (.+)$", text, flags=re.MULTILINE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__", "migrations")
    for name in ("apps", "config"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_every_contract_has_a_planted_violation() -> None:
    uncovered = [name for name in _contracts() if not any(name.startswith(kind) for kind in VIOLATIONS)]
    assert uncovered == []


def test_the_tree_keeps_every_contract(copy: Path) -> None:
    output = _lint(copy)
    assert "0 broken" in output, output


@pytest.mark.parametrize("kind", VIOLATIONS)
def test_a_planted_violation_is_refused(kind: str, copy: Path) -> None:
    for name in SCAFFOLD:
        if not (copy / name).exists():
            (copy / name).write_text('"""Planted."""\n', encoding="utf-8")
    name, line = VIOLATIONS[kind]
    path = copy / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    broken = [contract for contract, verdict in _verdicts(_lint(copy)).items() if verdict == "BROKEN"]
    assert any(contract.startswith(kind) for contract in broken), broken


def test_a_room_with_an_unknown_name_is_refused(copy: Path) -> None:
    (copy / "apps/markets/utils.py").write_text('"""Odds and ends."""\n', encoding="utf-8")
    output = _lint(copy)
    assert "utils" in output
    assert "0 broken" not in output


def test_an_app_on_no_storey_is_refused(copy: Path) -> None:
    (copy / "apps/lottery").mkdir()
    (copy / "apps/lottery/__init__.py").write_text('"""An app that no storey lists."""\n', encoding="utf-8")
    output = _lint(copy)
    assert "lottery" in output
    assert "0 broken" not in output
