"""The British rules: the same London day, then the thirty days after, then the pool."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from apps.portfolios.tests.reference.numbers import ZERO, rounded, share
from apps.portfolios.tests.reference.outcome import Disposal, Match, Outcome, Remaining
from apps.portfolios.tests.reference.steps import Raw, Step

LONDON = ZoneInfo("Europe/London")
MONTH = timedelta(days=30)
LAST = 10**9


@dataclass
class Day:
    """All that happened to one bucket on one London day, amounts in the units of its evening."""

    acquired: Fraction = ZERO
    acquired_cost: Fraction = ZERO
    disposals: list[Step] = field(default_factory=list)
    returned: list[Step] = field(default_factory=list)
    consumed: list[tuple[Step, Fraction]] = field(default_factory=list)
    opened: Fraction = ZERO
    opened_cost: Fraction = ZERO
    ratio: Fraction = Fraction(1)
    line: Disposal | None = None
    unmatched: Fraction = ZERO

    def take_acquired(self, amount: Fraction) -> Fraction:
        """Take an amount of the day's acquisitions, which are one; return its cost."""
        cost = share(self.acquired_cost, amount, self.acquired)
        self.acquired -= amount
        self.acquired_cost -= cost
        return cost


@dataclass
class Pool:
    """The section 104 holding."""

    amount: Fraction = ZERO
    cost: Fraction = ZERO

    def take(self, wanted: Fraction) -> tuple[Fraction, Fraction]:
        """Take an amount as far as it goes; return it with its cost."""
        amount = min(wanted, self.amount)
        cost = share(self.cost, amount, self.amount) if amount else ZERO
        self.amount -= amount
        self.cost -= cost
        return amount, cost


def day_of(at: datetime) -> date:
    """Return the day it is in London."""
    return at.astimezone(LONDON).date()


class Section104Book:
    """Keeps one pool per bucket for all accounts; needs all steps before it can match any."""

    def __init__(self, policy: Raw) -> None:
        self.days: dict[str, dict[date, Day]] = defaultdict(lambda: defaultdict(Day))
        self.outcome = Outcome()
        self.lines: list[tuple[date, int, Disposal]] = []

    def book(self, steps: list[Step]) -> Outcome:
        for number, step in enumerate(steps):
            self.sort_in(step, evening_units(step, steps[number + 1 :]))
        for asset, days in self.days.items():
            ordered = dict(sorted(days.items()))
            for day, found in ordered.items():
                self.open_line(day, found)
                self.match_same_day(day, found)
            for day, found in ordered.items():
                self.match_thirty_days(day, found, ordered)
            self.walk_pool(asset, ordered)
        self.lines.sort(key=lambda line: line[:2])
        self.outcome.disposals = [line for _, _, line in self.lines]
        return self.outcome

    def sort_in(self, step: Step, factor: Fraction) -> None:
        found = self.days[step.asset][day_of(step.at)]
        amount = rounded(step.amount * factor)
        if step.act == "acquire":
            found.acquired += amount
            found.acquired_cost += step.money
        elif step.act == "opening":
            found.opened += amount
            found.opened_cost += step.money
        elif step.act == "dispose":
            found.disposals.append(step)
            found.unmatched += amount
        elif step.act == "consume":
            found.consumed.append((step, amount))
        elif step.act == "split":
            found.ratio *= step.amount
        elif step.act == "return_of_capital":
            found.returned.append(step)

    # --- Matching ---
    def open_line(self, day: date, found: Day) -> None:
        """Make one line of all disposals of the day."""
        if not found.disposals:
            return
        first = found.disposals[0]
        accounts = {step.account for step in found.disposals}
        account = first.account if len(accounts) == 1 else None
        proceeds = sum((step.money for step in found.disposals), ZERO)
        found.line = Disposal(
            first.tx,
            first.kind,
            first.coin,
            account,
            found.unmatched,
            proceeds,
            ZERO,
            ZERO,
            date=day.isoformat(),
        )
        self.lines.append((day, first.number, found.line))

    def match(self, found: Day, rule: str, day: date | None, amount: Fraction, cost: Fraction) -> None:
        if found.line and amount:
            found.unmatched -= amount
            found.line.cost += cost
            found.line.matches.append(Match(rule, day.isoformat() if day else None, amount, cost))

    def match_same_day(self, day: date, found: Day) -> None:
        amount = min(found.unmatched, found.acquired)
        if amount:
            self.match(found, "same_day", day, amount, found.take_acquired(amount))

    def match_thirty_days(self, day: date, found: Day, days: dict[date, Day]) -> None:
        factor = Fraction(1)
        for later, other in days.items():
            if day < later <= day + MONTH and found.unmatched:
                factor *= other.ratio
                wanted = rounded(found.unmatched * factor)
                taken = min(wanted, other.acquired)
                if taken:
                    amount = found.unmatched if taken == wanted else rounded(taken / factor)
                    self.match(found, "thirty_day", later, amount, other.take_acquired(taken))

    def walk_pool(self, asset: str, days: dict[date, Day]) -> None:
        """Let each day change the pool: split, what came in, capital returned, disposals, coins consumed."""
        pool = Pool()
        for day, found in days.items():
            pool.amount = rounded(pool.amount * found.ratio) + found.opened + found.acquired
            pool.cost += found.opened_cost + found.acquired_cost
            first = min((step.place for step in found.disposals), default=LAST)
            self.return_capital(day, [step for step in found.returned if step.place < first], pool)
            if found.line:
                self.sell_from_pool(found, found.line, pool)
            for step, wanted in found.consumed:
                taken, _ = pool.take(wanted)
                self.outcome.report_missing(step, taken, wanted)
            self.return_capital(day, [step for step in found.returned if step.place > first], pool)
        if pool.amount or pool.cost:
            self.outcome.remaining.append(Remaining(None, asset, None, pool.amount, pool.cost, None))

    def sell_from_pool(self, found: Day, line: Disposal, pool: Pool) -> None:
        """Take from the pool what no acquisition matched; what is not there either is missing."""
        self.match(found, "s104", None, *pool.take(found.unmatched))
        self.outcome.report_missing(found.disposals[0], line.amount - found.unmatched, line.amount)
        line.gain = line.proceeds - line.cost

    def return_capital(self, day: date, steps: list[Step], pool: Pool) -> None:
        """Lower the pool's cost, at most to zero; what is beyond is a gain."""
        for step in steps:
            gain = max(ZERO, step.money - pool.cost)
            pool.cost -= step.money - gain
            if gain:
                row = Disposal(step.tx, "return_of_capital", step.coin, step.account, ZERO, gain, ZERO, gain)
                row.date = day.isoformat()
                self.lines.append((day, step.number, row))


def evening_units(step: Step, later: list[Step]) -> Fraction:
    """Return what a coin of the step is worth in coins of that evening, after the splits later that day."""
    factor = Fraction(1)
    for other in later:
        same_day = day_of(other.at) == day_of(step.at)
        if other.act == "split" and other.asset == step.asset and same_day and step.act != "split":
            factor *= other.amount
    return factor
