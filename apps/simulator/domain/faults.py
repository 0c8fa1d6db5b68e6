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

    def take(self, faults: Sequence[str], path: str, now_ms: int) -> str:
        """Return the name of the fault that `pick` finds, or nothing."""
        switch = self.pick(faults, path, now_ms)
        return switch.fault if switch else ""

    def on(self, fault: str, now_ms: int) -> bool:
        """Return whether a fault is on, without using it up."""
        return any(switch.fault == fault for switch in self.active(now_ms))

    def skew_ms(self, now_ms: int) -> int:
        """Return how far the venue's clock is off."""
        return sum(switch.amount_ms for switch in self.active(now_ms) if switch.fault == "clock_skew")

    def delisted(self, now_ms: int) -> set[str]:
        """Return the symbols that a fault has taken from the list."""
        return {switch.symbol for switch in self.active(now_ms) if switch.fault == "delist"}

    def revoked(self, label: str, now_ms: int) -> bool:
        """Return whether an account's key is revoked."""
        switches = (switch for switch in self.active(now_ms) if switch.fault == "revoke_key")
        return any(switch.label in {"", label} for switch in switches)
