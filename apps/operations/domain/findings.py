"""What a self-check found: one finding a subject, in words, with the way out."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One subject of the self-check."""

    code: str
    title: str
    verdict: Verdict
    detail: str
    fix: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


def good(*, code: str, title: str, detail: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(code=code, title=title, verdict="ok", detail=detail)


def worst(*, findings: Iterable[Finding]) -> Verdict:
    """Return the gravest verdict among the findings."""
    verdicts = {finding.verdict for finding in findings}
    if "problem" in verdicts:
        return "problem"
    return "warning" if "warning" in verdicts else "ok"


def summary(*, findings: Iterable[Finding]) -> str:
    """Return one sentence about all findings."""
    listed = list(findings)
    problems = sum(finding.verdict == "problem" for finding in listed)
    warnings = sum(finding.verdict == "warning" for finding in listed)
    if not problems and not warnings:
        return f"All {len(listed)} checks are well."
    return f"{len(listed)} checks: {_count(problems, 'problem')}, {_count(warnings, 'warning')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number or 'no'} {noun}s"
