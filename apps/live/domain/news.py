"""What goes through the hub: rows of a snapshot, and updates with the topic that says who may hear them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in a channel: its key, under which a newer value replaces an older one, and its fields."""

    key: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Update:
    """A new value of one thing; `happened_at` in seconds since 1970 is when the event was published."""

    channel: str
    topic: str
    row: Row
    happened_at: float
