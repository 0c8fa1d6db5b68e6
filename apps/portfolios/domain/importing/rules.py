"""The rules of booking that a portable file carries: an import passes over them unless somebody wants them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from apps.portfolios.domain.policy import PolicyError
from apps.portfolios.domain.timeline import Timeline, parse_timeline


@dataclass(frozen=True, slots=True)
class FileRules:
    """A timeline, or why the file's cannot be read; neither where it carries none."""

    timeline: Timeline | None = None
    problem: str = ""


#: What most files carry.
NO_RULES: Final = FileRules()


def rules_of(found: Mapping[object, object]) -> FileRules:
    """Return the rules of a portable file; a bad one keeps nobody from its transactions."""
    policy = found.get("policy")
    if policy is None:
        return NO_RULES
    try:
        return FileRules(parse_timeline(policy, found.get("policy_changes")))
    except PolicyError as error:
        return FileRules(problem=error.message)
