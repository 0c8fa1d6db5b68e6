"""The average pool: one amount, one cost, and what a window of days around a loss has to know of it."""

from bisect import bisect_left, bisect_right
from fractions import Fraction

from apps.portfolios.domain.booking.scaled import SCALE, half_even, product

_DAY_US = 86_400_000_000


class Pool:
    """Units that lost their identity: what there is and what it cost."""

    __slots__ = ("amount", "cost")

    def __init__(self, *, amount: int = 0, cost: int = 0) -> None:
        self.amount = amount
        self.cost = cost

    def add(self, *, amount: int, cost: int) -> None:
        """Average the amount in."""
        self.amount += amount
        self.cost += cost

    def take(self, amount: int) -> tuple[int, int]:
        """Take the amount out as far as there is any, at the average; return what was found and its cost."""
        found = min(amount, self.amount)
        cost = self.cost if found and found == self.amount else half_even(self.cost * found, self.amount or 1)
        self.amount -= found
        self.cost -= cost
        return found, cost

    def redenominate(self, ratio: int) -> int:
        """Multiply the amount by the scaled ratio; return what there is afterwards."""
        self.amount = product(self.amount, ratio)
        return self.amount

    def lower_cost(self, value: int) -> int:
        """Lower the cost, at most to zero; return what is beyond."""
        lowered = min(value, self.cost)
        self.cost -= lowered
        return value - lowered


class Trail:
    """What a pool acquired and held, day by day, in units that no split changes."""

    __slots__ = ("_acquired", "_acquired_days", "_factor", "_held", "_held_days")

    def __init__(self) -> None:
        self._factor = Fraction(1)
        self._acquired_days: list[int] = []
        self._acquired: list[Fraction] = [Fraction(0)]
        self._held_days: list[int] = []
        self._held: list[Fraction] = [Fraction(0)]

    def acquired(self, *, at_us: int, amount: int) -> None:
        """Note an acquisition."""
        self._acquired_days.append(at_us // _DAY_US)
        self._acquired.append(self._acquired[-1] + amount / self._factor)

    def held(self, *, at_us: int, amount: int) -> None:
        """Note what the pool holds from now on."""
        self._held_days.append(at_us // _DAY_US)
        self._held.append(amount / self._factor)

    def split(self, ratio: int) -> None:
        """Note that units are counted anew from now on."""
        self._factor *= Fraction(ratio, SCALE)

    def rewind(self) -> None:
        """Go back to the first day's units, to be read along a second pass."""
        self._factor = Fraction(1)

    def replaced(self, *, at_us: int, days: int, sold: int) -> Fraction:
        """Return how much of what was sold counts as replaced within so many days before and after."""
        day = at_us // _DAY_US
        first = bisect_left(self._acquired_days, day - days)
        after = bisect_right(self._acquired_days, day + days)
        acquired = (self._acquired[after] - self._acquired[first]) * self._factor
        held = self._held[bisect_right(self._held_days, day + days)] * self._factor
        return min(Fraction(sold), acquired, held)
