"""Rules that change: by which policy a ledger is booked from the beginning, and by which others from a moment on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from apps.portfolios.domain.policy import Policy, PolicyError, parse_policy, policy_as_portable
from apps.portfolios.domain.transactions import EntryError, moment_text, parse_moment

#: Periods are for people to tell apart; nobody changes rules more often.
MOST_CHANGES: Final = 50
_DAY_US: Final = 86_400_000_000


class PolicyChange(NamedTuple):
    """Another policy, for what happens at this moment and after."""

    at_us: int
    policy: Policy


@dataclass(frozen=True, slots=True)
class Timeline:
    """The policy of the beginning, and its changes in order of time."""

    first: Policy = field(default_factory=Policy)
    changes: tuple[PolicyChange, ...] = ()

    @property
    def last(self) -> Policy:
        """Return the policy that holds after all changes."""
        return self.changes[-1].policy if self.changes else self.first

    def at(self, at_us: int) -> Policy:
        """Return the policy that holds at a moment."""
        found = self.first
        for change in self.changes:
            if change.at_us > at_us:
                break
            found = change.policy
        return found

    def until(self, at_us: int) -> "Timeline":
        """Return the timeline as far as a moment, its changes at that moment among them."""
        return Timeline(self.first, tuple(change for change in self.changes if change.at_us <= at_us))

    def long_us(self, at_us: int) -> int:
        """Return how long what is disposed of at a moment must have been held to be long-term."""
        return self.at(at_us).long_days * _DAY_US


def always(rules: Policy | Timeline) -> Timeline:
    """Return the rules as a timeline: one policy holds from the beginning on."""
    return rules if isinstance(rules, Timeline) else Timeline(rules)


def checked_timeline(first: Policy, changes: Iterable[PolicyChange]) -> Timeline:
    """Return the timeline with its changes in order, or raise `PolicyError` where two are at one moment."""
    ordered = tuple(sorted(changes, key=lambda change: change.at_us))
    if len(ordered) > MOST_CHANGES:
        raise PolicyError(
            code="too_many_changes", message=f"Rules change at most {MOST_CHANGES} times.", field="changes"
        )
    for earlier, later in pairwise(ordered):
        if earlier.at_us == later.at_us:
            message = f"Two changes begin at {moment_text(later.at_us)}; keep one of them."
            raise PolicyError(code="change_twice", message=message, field="changes")
    return Timeline(first, ordered)


def with_change(timeline: Timeline, change: PolicyChange, *, instead_of: int | None = None) -> Timeline:
    """Return the timeline with one more change, or with it in the place of the one at a moment."""
    kept = [one for one in timeline.changes if one.at_us != instead_of]
    return checked_timeline(timeline.first, [*kept, change])


def without_change(timeline: Timeline, *, at_us: int) -> Timeline:
    """Return the timeline without the change at a moment: what held before goes on."""
    return Timeline(timeline.first, tuple(one for one in timeline.changes if one.at_us != at_us))


def parse_timeline(policy: object, changes: object) -> Timeline:
    """Return the timeline that a policy and a list of changes spell, or raise `PolicyError`."""
    first = parse_policy(policy)
    if changes is None:
        return Timeline(first)
    if not isinstance(changes, list):
        raise _invalid("Changes of the rules are a list of objects with from and policy.")
    return checked_timeline(first, [_change(raw) for raw in changes])


def changes_as_portable(timeline: Timeline) -> list[dict[str, object]]:
    """Return the changes in the portable format."""
    return [
        {"from": moment_text(change.at_us), "policy": policy_as_portable(change.policy)} for change in timeline.changes
    ]


def timeline_as_kept(timeline: Timeline) -> dict[str, object]:
    """Return the timeline as one object: its first policy, and its changes where it has any."""
    kept = policy_as_portable(timeline.first)
    return {**kept, "changes": changes_as_portable(timeline)} if timeline.changes else kept


def kept_timeline(kept: Mapping[str, object]) -> Timeline:
    """Return the timeline that was kept as one object."""
    return parse_timeline({name: value for name, value in kept.items() if name != "changes"}, kept.get("changes"))


def _change(raw: object) -> PolicyChange:
    if not isinstance(raw, Mapping) or set(raw) != {"from", "policy"}:
        raise _invalid("A change of the rules is an object with from, its moment, and policy.")
    try:
        at_us = parse_moment(raw["from"])
    except EntryError as error:
        raise PolicyError(
            code="change_moment_invalid",
            message="from is the moment of a change, as ISO-8601 or whole milliseconds.",
            field="changes",
        ) from error
    return PolicyChange(at_us, parse_policy(raw["policy"]))


def _invalid(message: str) -> PolicyError:
    return PolicyError(code="changes_invalid", message=message, field="changes")
