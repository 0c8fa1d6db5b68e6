"""Average cost in pools, with the Canadian window of denied losses."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from apps.portfolios.tests.reference.numbers import ZERO, rounded, share
from apps.portfolios.tests.reference.outcome import Disposal, Outcome, Remaining
from apps.portfolios.tests.reference.steps import Raw, Step

Key = tuple[str, str | None]


@dataclass
class Pool:
    """What a pool holds and cost, and its past: the amount after each step, and what was bought."""

    amount: Fraction = ZERO
    cost: Fraction = ZERO
    history: list[tuple[date, Fraction, Fraction]] = field(default_factory=list)
    bought: list[tuple[date, Fraction]] = field(default_factory=list)
    units: Fraction = Fraction(1)

    def note(self, day: date) -> None:
        self.history.append((day, self.amount, self.units))


class AverageBook:
    """Keeps one pool per bucket, and per account where the scope says so."""

    def __init__(self, policy: Raw, future: "AverageBook | None" = None) -> None:
        self.policy = policy
        self.per_account = policy.get("scope") == "per_account"
        self.window = policy.get("superficial_window_days")
        self.pools: dict[Key, Pool] = defaultdict(Pool)
        self.outcome = Outcome()
        self.future = future

    def book(self, steps: list[Step]) -> Outcome:
        """Book all steps; with a window twice, since how much is held at its end lies in the future."""
        if self.window is not None and self.future is None:
            self.future = AverageBook({**self.policy, "superficial_window_days": None})
            self.future.book(steps)
        for step in steps:
            getattr(self, step.act)(step)
            for pool in self.pools.values():
                pool.note(step.at.date())
        for (asset, account), pool in self.pools.items():
            if pool.amount or pool.cost:
                self.outcome.remaining.append(Remaining(None, asset, account, pool.amount, pool.cost, None))
        return self.outcome

    def key(self, step: Step, account: str | None = None) -> Key:
        return step.asset, (account or step.account) if self.per_account else None

    def add(self, key: Key, amount: Fraction, cost: Fraction) -> None:
        self.pools[key].amount += amount
        self.pools[key].cost += cost

    def take(self, step: Step, wanted: Fraction) -> tuple[Fraction, Fraction]:
        """Take an amount at average cost, as far as the pool goes; return what was found and its cost."""
        pool = self.pools[self.key(step)]
        found = min(wanted, pool.amount)
        cost = share(pool.cost, found, pool.amount) if found else ZERO
        pool.amount -= found
        pool.cost -= cost
        self.outcome.report_missing(step, found, wanted)
        return found, cost

    # --- Steps ---
    def acquire(self, step: Step) -> None:
        self.add(self.key(step), step.amount, step.money)
        pool = self.pools[self.key(step)]
        pool.bought.append((step.at.date(), step.amount / pool.units))

    def opening(self, step: Step) -> None:
        self.add(self.key(step), step.amount, step.money)

    def dispose(self, step: Step) -> None:
        _, cost = self.take(step, step.amount)
        gain = step.money - cost
        denied = self.denied(step, -gain) if gain < 0 else ZERO
        self.pools[self.key(step)].cost += denied
        row = Disposal(
            step.tx,
            step.kind,
            step.coin,
            step.account,
            step.amount,
            step.money,
            cost,
            gain + denied,
            superficial=-denied,
        )
        self.outcome.disposals.append(row)

    def denied(self, step: Step, loss: Fraction) -> Fraction:
        """Return the part of a loss that the window denies: loss x min(sold, acquired, held at the end) / sold."""
        if self.future is None:
            return ZERO
        days = timedelta(days=int(str(self.window)))
        first, last = step.at.date() - days, step.at.date() + days
        pool = self.future.pools[self.key(step)]
        units = self.pools[self.key(step)].units
        acquired = sum((amount for day, amount in pool.bought if first <= day <= last), ZERO) * units
        held = [amount / then * units for day, amount, then in pool.history if day <= last]
        return rounded(loss * min(step.amount, acquired, held[-1]) / step.amount)

    def consume(self, step: Step) -> None:
        self.take(step, step.amount)

    def move(self, step: Step) -> None:
        if step.account == step.to_account:
            return
        _, cost = self.take(step, step.amount)
        self.add(self.key(step, step.to_account), step.amount, cost)

    def split(self, step: Step) -> None:
        for (asset, _), pool in self.pools.items():
            if asset == step.asset:
                pool.amount = rounded(pool.amount * step.amount)
                pool.units *= step.amount

    def return_of_capital(self, step: Step) -> None:
        pool = self.pools[self.key(step)]
        gain = max(ZERO, step.money - pool.cost)
        pool.cost -= step.money - gain
        if gain:
            row = Disposal(step.tx, "return_of_capital", step.coin, step.account, ZERO, gain, ZERO, gain)
            self.outcome.disposals.append(row)
