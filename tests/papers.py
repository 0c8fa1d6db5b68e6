"""What the papers owe the code, as questions about a source tree.

Each question takes the root of a checkout and returns one sentence for each thing that is missing or wrong, so that
the same question can be asked of this tree and of a scratch copy with a planted fault.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

Question = Callable[[Path], list[str]]

CONFIGURATION = "docs/guide/configuration.md"
TROUBLES = "docs/guide/troubleshooting.md"
REFERENCE = "docs/reference.md"
ERRORS = "docs/api/errors.md"
SOCKET = "docs/api/live.md"
PROMISED_HOWTOS = (
    "add-an-app",
    "add-an-exchange",
    "add-an-indicator",
    "add-an-alert-channel",
    "add-a-model-family",
    "add-a-page",
    "add-a-setting",
    "add-a-background-job",
)
#: What must not stand in a paper: paths of one machine, addresses of registries, what others promise.
FORBIDDEN = (
    r"/work/",
    r"/root/",
    r"/home/\w",
    r"pypi\.org",
    r"pythonhosted\.org",
    r"registry\.npmjs\.org",
    r"[\U0001F300-\U0001FAFF\u2705\u274C\u2728]",
    r"(?<![!=\[])!(?![=\[])(?=\s|$)",
)

_READS = re.compile(r'(?:\benv\.\w+|os\.environ\.get|os\.environ)[(\[]\s*"([A-Z][A-Z0-9_]+)"')
_METRIC = re.compile(r'(?:Counter|Gauge|Histogram|GaugeMetricFamily)\(\s*"(coinsphere_\w+)"')
_TASK = re.compile(r'@shared_task\((?:[^)]*?)name="([^"]+)"')
_REFUSAL = re.compile(r'Refusal\(\s*"(\w+)"')
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)


# --- Sources and papers ---------------------------------------------------------------------------------------------
def _sources(root: Path) -> Iterator[Path]:
    for top in ("apps", "config"):
        for path in sorted((root / top).rglob("*.py")):
            if "migrations" not in path.parts and "tests" not in path.parts:
                yield path


def _found(root: Path, pattern: re.Pattern[str]) -> set[str]:
    return {name for path in _sources(root) for name in pattern.findall(path.read_text(encoding="utf-8"))}


def _classes(root: Path) -> Iterator[ast.ClassDef]:
    for path in _sources(root):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node


def papers(root: Path) -> Iterator[Path]:
    """Yield every paper that people read."""
    yield from sorted(root.glob("*.md"))
    yield from sorted((root / "docs").rglob("*.md"))


def _first_cells(root: Path, name: str) -> set[str]:
    """Return what stands in backticks in the first cell of a paper's tables."""
    path = root / name
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    rows = re.findall(r"^\|([^|]*)\|", text, flags=re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`|\b(\d{4})\b", row) for word in word if word}


def _missing(root: Path, *, what: str, promised: set[str], paper: str) -> list[str]:
    return [f"{what} {name} is not in {paper}" for name in sorted(promised - _first_cells(root, paper))]


# --- Is everything there? -------------------------------------------------------------------------------------------
def settings_without_words(root: Path) -> list[str]:
    """Every setting that is read from the environment stands in the table of settings."""
    return _missing(root, what="setting", promised=_found(root, _READS), paper=CONFIGURATION)


def events_without_words(root: Path) -> list[str]:
    """Every event has its line."""
    promised = {
        node.name
        for node in _classes(root)
        if any(isinstance(base, ast.Name) and base.id == "Event" for base in node.bases)
    }
    return _missing(root, what="event", promised=promised, paper=REFERENCE)


def tasks_without_words(root: Path) -> list[str]:
    """Every task has its line."""
    return _missing(root, what="task", promised=_found(root, _TASK), paper=REFERENCE)


def commands_without_words(root: Path) -> list[str]:
    """Every management command of ours has its line."""
    found = {path.stem for path in (root / "apps").glob("*/management/commands/*.py")} - {"__init__"}
    return _missing(root, what="command", promised=found, paper=REFERENCE)


def metrics_without_words(root: Path) -> list[str]:
    """Every metric of ours has its line."""
    return _missing(root, what="metric", promised=_found(root, _METRIC), paper=REFERENCE)


def codes_without_words(root: Path) -> list[str]:
    """Every error code has its line: those of our error classes, and the standard ones of the API."""
    promised = {code for node in _classes(root) if node.name.endswith("Error") for code in _codes_of(node)} - {"error"}
    standard = root / "apps/core/api/problems.py"
    if standard.exists():
        promised |= set(
            re.findall(r'^    "(\w+)": \(\s*\d{3}', standard.read_text(encoding="utf-8"), flags=re.MULTILINE)
        )
    return _missing(root, what="code", promised=promised, paper=ERRORS)


def _codes_of(node: ast.ClassDef) -> Iterator[str]:
    for line in node.body:
        targets = (
            line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
        )
        named = any(isinstance(target, ast.Name) and target.id == "code" for target in targets)
        value = line.value if isinstance(line, ast.Assign | ast.AnnAssign) else None
        if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def socket_words_missing(root: Path) -> list[str]:
    """Every error code and close code of the socket has its line."""
    promised = _found(root, _REFUSAL)
    for node in _classes(root):
        if node.name == "CloseCode":
            promised |= {
                str(line.value.value)
                for line in node.body
                if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
            }
    return _missing(root, what="socket code", promised=promised, paper=SOCKET)


def howtos_missing(root: Path) -> list[str]:
    """Every promised check-list is there."""
    return [
        f"docs/howto/{name}.md is missing" for name in PROMISED_HOWTOS if not (root / f"docs/howto/{name}.md").exists()
    ]


def failures_without_words(root: Path) -> list[str]:
    """Every sentence with which set-up and supervisor give up stands, at least its first part, among the troubles."""
    path = root / TROUBLES
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    sentences = {sentence for source in _starters(root) for sentence in _last_sentences(source)}
    return [
        f"failure {sentence!r} is not in {TROUBLES}"
        for sentence in sorted(sentences)
        if not all(piece in text for piece in _fixed_pieces(sentence))
    ]


def _starters(root: Path) -> Iterator[ast.Module]:
    operations = root / "apps/operations"
    paths = [root / "coinsphere", *(operations / "supervisor").glob("*.py"), *(operations / "gateways").glob("*.py")]
    yield from (ast.parse(path.read_text(encoding="utf-8")) for path in paths if path.exists())


def _last_sentences(tree: ast.Module) -> Iterator[str]:
    """Yield what is said by `raise SetupError(...)`, `raise StartError(...)` and `failure=...`; gaps are `{}`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        said: list[ast.expr] = [each.value for each in node.keywords if each.arg == "failure"]
        if isinstance(node.func, ast.Name) and node.func.id in {"SetupError", "StartError"}:
            said += node.args[:1]
        yield from (text for text in map(_literal, said) if text)


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Lambda):
        return _literal(node.body)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def _fixed_pieces(sentence: str) -> list[str]:
    """Return the parts of a sentence's beginning that never change and are long enough to be told apart."""
    first = re.split(r"(?<=[.:]) ", sentence.strip(), maxsplit=1)[0]
    return [piece for piece in (part.strip(" .:,") for part in first.split("{}")) if len(piece) > 5]


# --- Is what they say so? -------------------------------------------------------------------------------------------
def links_that_lead_nowhere(root: Path) -> list[str]:
    """Every relative link leads to a file, and its anchor to a heading."""
    return [
        f"{paper.relative_to(root)} links to {link}"
        for paper in papers(root)
        for link in _LINK.findall(paper.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", link) and not _leads_somewhere(paper, link)
    ]


def _leads_somewhere(paper: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (paper.parent / name).resolve() if name else paper
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(paper: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", paper.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def files_that_are_not_there(root: Path) -> list[str]:
    """Every file of the tree that a paper names exists; `<name>` stands for one that will be."""
    pattern = r"`((?:apps|config|tests|templates|static|bench|docker|docs)/[^`\s*]+)`"
    return [
        f"{paper.relative_to(root)} names {name}"
        for paper in papers(root)
        for name in re.findall(pattern, paper.read_text(encoding="utf-8"))
        if "<" not in name and not name.startswith("static/vendor") and not (root / name).exists()
    ]


def forbidden_words(root: Path) -> list[str]:
    """No paper speaks of one machine or one registry, and none shouts."""
    return [
        f"{paper.relative_to(root)} says {match.group()!r}"
        for paper in papers(root)
        for pattern in FORBIDDEN
        for match in re.finditer(pattern, _FENCE.sub("", paper.read_text(encoding="utf-8")), flags=re.MULTILINE)
    ]


def commands_named(root: Path) -> set[str]:
    """Return every command of `./coinsphere` that a paper names."""
    texts = [paper.read_text(encoding="utf-8") for paper in papers(root)]
    return {name for text in texts for name in re.findall(r"\./coinsphere ([a-z_]+)", text)}


QUESTIONS: tuple[Question, ...] = (
    settings_without_words,
    events_without_words,
    tasks_without_words,
    commands_without_words,
    metrics_without_words,
    codes_without_words,
    socket_words_missing,
    howtos_missing,
    failures_without_words,
    links_that_lead_nowhere,
    files_that_are_not_there,
    forbidden_words,
)
