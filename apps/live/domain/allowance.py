"""How much a client may send: a bucket that refills with time."""

from dataclasses import dataclass


@dataclass(slots=True)
class Allowance:
    """Messages a client may send: `burst` at once, `rate` a second in the long run."""

    rate: float
    burst: float
    _level: float = -1.0
    _at: float = 0.0

    def spend(self, cost: float, *, at: float) -> bool:
        """Take `cost` at the time `at` in seconds; return False when that is more than is left."""
        if self._level < 0:
            self._level, self._at = self.burst, at
        self._level = min(self.burst, self._level + (at - self._at) * self.rate)
        self._at = at
        if self._level < cost:
            return False
        self._level -= cost
        return True
