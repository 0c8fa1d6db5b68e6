"""The fault switches of one venue: which are on, for which path, how often and how long."""

from collections.abc import Sequence
from dataclasses import dataclass, field

ANSWER_FAULTS = ("429", "418", "5xx", "html200", "cut_json", "empty", "slow", "hang", "reset")
SOCKET_FAULTS = ("ws_close", "ws_silent")
STATE_FAULTS = ("revoke_key", "clock_skew", "delist", "duplicate_trades", "late_trade")
FAULTS = (*ANSWER_FAULTS, *SOCKET_FAULTS, *STATE_FAULTS)


@dataclass
class Switch:
    """One fault that was turned on. `count` answers or `seconds`, whichever ends first; both None: until cleared."""

    fault: str
    path: str
    """what a request's path must begin with; empty: every path"""
    left: int | None
    until_ms: int | None
    label: str = ""
    symbol: str = ""
    amount_ms: int = 0
    """how far the clock is off, or how slow an answer is"""

    def is_on(self, now_ms: int) -> bool:
        """Return whether it still holds."""
        return (self.left is None or self.left > 0) and (self.until_ms is None or now_ms < self.until_ms)


@dataclass
class FaultBoard:
    """Every switch of one venue, in the order in which they were turned on."""

    switches: list[Switch] = field(default_factory=list)

    def add(self, switch: Switch) -> None:
        """Turn a fault on."""
        self.switches.append(switch)

    def clear(self) -> None:
        """Turn every fault off."""
        self.switches.clear()

    def active(self, now_ms: int) -> list[Switch]:
        """Return what is on, and forget what is over."""
        self.switches = [switch for switch in self.switches if switch.is_on(now_ms)]
        return self.switches

    def pick(self, faults: Sequence[str], path: str, now_ms: int) -> Switch | None:
        """Return the first switch of these faults that holds for a path, and count it as used once."""
        for switch in self.active(now_ms):
            if switch.fault in faults and path.startswith(switch.path):
                if switch.left is not None:
                    switch.left -= 1
                return switch
        return None

    def holding(self, fault: str, path: str, now_ms: int) -> list[Switch]:
        """Return the switches of a fault that hold for a path, without using them up."""
        return [switch for switch in self.active(now_ms) if switch.fault == fault and path.startswith(switch.path)]

    def passed(self, path: str, now_ms: int) -> None:
        """Count an answered request against the faults of state that held for it."""
        for switch in self.active(now_ms):
            if switch.fault in STATE_FAULTS and switch.left is not None and path.startswith(switch.path):
                switch.left -= 1

    def skew_ms(self, path: str, now_ms: int) -> int:
        """Return how far the venue's clock is off."""
        return sum(switch.amount_ms for switch in self.holding("clock_skew", path, now_ms))

    def delisted(self, path: str, now_ms: int) -> set[str]:
        """Return the symbols that a fault has taken from the list."""
        return {switch.symbol for switch in self.holding("delist", path, now_ms)}

    def revoked(self, label: str, path: str, now_ms: int) -> bool:
        """Return whether an account's key is revoked."""
        return any(switch.label in {"", label} for switch in self.holding("revoke_key", path, now_ms))
