"""Which venue a price comes from: its own, or another with the same pair while its own is silent, and back again."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

#: A line that brought nothing for so long is silent: prices come from elsewhere, if there is an elsewhere.
SILENT_AFTER: Final = 10.0
#: A line that was silent is preferred again when it has been heard for so long without a pause.
TRUSTED_AFTER: Final = 5.0
#: Another venue's price this many times off our last one is of another coin or another world.
FARTHEST: Final = 2.0


class Hearing:
    """How steadily one line is heard; moments are seconds of a clock that only goes forward."""

    __slots__ = ("heard_at", "is_trusted", "steady_since")

    def __init__(self) -> None:
        self.heard_at = self.steady_since = float("-inf")
        self.is_trusted = True  # nobody is distrusted before there was a chance to hear it

    def begin(self, at: float) -> None:
        """Start the patience: from now on something should be heard."""
        self.heard_at = self.steady_since = at

    def heard(self, at: float) -> None:
        """Note that the line has brought something."""
        if self.is_silent(at):
            self.steady_since = at
        self.heard_at = at

    def is_silent(self, at: float) -> bool:
        """Tell whether nothing was heard for too long."""
        return at - self.heard_at > SILENT_AFTER

    def judge(self, at: float) -> bool:
        """Decide whether the line is trusted now; return whether that has changed."""
        before = self.is_trusted
        if self.is_silent(at):
            self.is_trusted = False
        elif not before:
            self.is_trusted = at - self.steady_since >= TRUSTED_AFTER
        return self.is_trusted != before


class Source(Protocol):
    """One venue's view of a pair."""

    @property
    def value(self) -> float:
        """The newest price; 0 when there is none."""

    @property
    def is_usable(self) -> bool:
        """Whether the line that it came on is trusted."""


_S = TypeVar("_S", bound=Source)


def source_for(own: _S, others: Sequence[_S]) -> _S:
    """Return which venue's price to show for an instrument: its own, or the first other one that can stand in."""
    if own.is_usable:
        return own
    return next((other for other in others if other is not own and _can_stand_in(own, other)), own)


def _can_stand_in(own: Source, other: Source) -> bool:
    if not other.is_usable or other.value <= 0:
        return False
    return own.value <= 0 or own.value / FARTHEST < other.value < own.value * FARTHEST
