"""The house rules that import-linter cannot see, as questions about a source tree.

Each question takes the root of a checkout and returns one sentence per violation, so that the same
question can be asked of this tree and of a scratch copy with a planted fault.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

PUBLIC_ROOMS = {"actions", "queries", "events", "domain"}
OPEN_TO = {"models": {"queries", "models"}, "permissions": {"api"}}
KERNEL = "core"
LONGEST_FILE = 600
LONGEST_FUNCTION = 60
LONGEST_TABLE = 60

Question = Callable[[Path], list[str]]


def source_files(root: Path) -> Iterator[Path]:
    """Yield every Python file of ours; migrations are made by Django."""
    for top in ("apps", "config"):
        for path in sorted((root / top).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def _is_test(path: Path) -> bool:
    return "tests" in path.parts or path.name == "conftest.py"


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _room_of(path: Path, root: Path) -> tuple[str, str]:
    """Return (app, room) of a file, or ("", "") outside the apps."""
    parts = path.relative_to(root).with_suffix("").parts
    if parts[0] != "apps" or len(parts) < 3:
        return "", ""
    return parts[1], parts[2]


def _typing_only(tree: ast.Module) -> set[ast.AST]:
    guarded: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            guarded.update(ast.walk(node))
    return guarded


def _imported_modules(tree: ast.Module) -> Iterator[tuple[int, str]]:
    skipped = _typing_only(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def foreign_rooms(root: Path) -> list[str]:
    """Another app is entered by actions, queries, events or domain.

    Its models may be joined by queries and pointed at by models; who may pass a REST door is asked of its permissions.
    """
    found = []
    for path in source_files(root):
        app, room = _room_of(path, root)
        if not app or _is_test(path):
            continue
        for line, module in _imported_modules(_tree(path)):
            parts = module.split(".")
            if parts[0] != "apps" or len(parts) < 3 or parts[1] in {app, KERNEL}:
                continue
            if parts[2] not in PUBLIC_ROOMS and room not in OPEN_TO.get(parts[2], set()):
                found.append(f"{path.relative_to(root)}:{line} imports {module}, a private room of {parts[1]}")
    return found


def _public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def missing_docstrings(root: Path) -> list[str]:
    """Each module opens with a docstring; each public function of domain, actions and queries has one."""
    found = []
    for path in source_files(root):
        tree = _tree(path)
        name = path.relative_to(root)
        if not ast.get_docstring(tree):
            found.append(f"{name} has no module docstring")
        if _is_test(path) or _room_of(path, root)[1] not in {"domain", "actions", "queries"}:
            continue
        found.extend(
            f"{name}:{node.lineno} {node.name} has no docstring"
            for node in _public_functions(tree)
            if not ast.get_docstring(node)
        )
    return found


def keywords_only(root: Path) -> list[str]:
    """Public functions of actions and queries take keywords only."""
    found: list[str] = []
    for path in source_files(root):
        if _is_test(path) or _room_of(path, root)[1] not in {"actions", "queries"}:
            continue
        found.extend(
            f"{path.relative_to(root)}:{node.lineno} {node.name} takes positional arguments"
            for node in _public_functions(_tree(path))
            if node.args.args or node.args.posonlyargs or node.args.vararg
        )
    return found


def too_long(root: Path) -> list[str]:
    """Files end before 600 lines, functions before 60."""
    found = []
    for path in source_files(root):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(root)
        lines = text.count("\n")
        if lines > LONGEST_FILE:
            found.append(f"{name} has {lines} lines, more than {LONGEST_FILE}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    found.append(f"{name}:{node.lineno} {node.name} has {length} lines, more than {LONGEST_FUNCTION}")
    return found


def tables_fit_a_screen(root: Path) -> list[str]:
    """The switchboard and the schedule each fit on a screen."""
    found = []
    for name in ("switchboard.py", "schedule.py"):
        lines = (root / "config" / name).read_text(encoding="utf-8").count("\n")
        if lines > LONGEST_TABLE:
            found.append(f"config/{name} has {lines} lines, more than {LONGEST_TABLE}")
    return found


def _task_names(root: Path) -> set[str]:
    names = set()
    for path in source_files(root):
        if _room_of(path, root)[1] != "tasks":
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.keyword) and node.arg == "name" and isinstance(node.value, ast.Constant):
                names.add(str(node.value.value))
    return names


def tasks_named_elsewhere(root: Path) -> list[str]:
    """A task's name stands in its own file, the switchboard and the schedule, nowhere else."""
    names = _task_names(root)
    found: list[str] = []
    for path in source_files(root):
        if _is_test(path) or _room_of(path, root)[1] == "tasks" or path.parent.name == "config":
            continue
        found.extend(
            f"{path.relative_to(root)}:{node.lineno} names the task {node.value}"
            for node in ast.walk(_tree(path))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
        )
    return found


def unlisted_apps(root: Path) -> list[str]:
    """Every folder of apps/ is an app that the settings list."""
    settings = (root / "config" / "settings.py").read_text(encoding="utf-8")
    folders = (path.name for path in sorted((root / "apps").iterdir()) if (path / "__init__.py").exists())
    return [f"apps/{name} is not in INSTALLED_APPS" for name in folders if f'"apps.{name}"' not in settings]


QUESTIONS: tuple[Question, ...] = (
    foreign_rooms,
    missing_docstrings,
    keywords_only,
    too_long,
    tables_fit_a_screen,
    tasks_named_elsewhere,
    unlisted_apps,
)
