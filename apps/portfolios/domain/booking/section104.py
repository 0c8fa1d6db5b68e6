"""The United Kingdom's share matching: same London day, the 30 days after, then the section 104 pool."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from apps.portfolios.domain.booking.pools import Pool
from apps.portfolios.domain.booking.records import Disposal, Match, Shortfall
from apps.portfolios.domain.booking.scaled import SCALE, half_even, product

_WINDOW_DAYS: Final = 30
_HOUR_US: Final = 3_600_000_000
_LONDON: Final = ZoneInfo("Europe/London")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()


class Sale(NamedTuple):
    """One disposal as it was entered."""

    seq: int
    tx: str
    line: str
    kind: str
    asset: str
    account: str
    at_us: int
    amount: int
    proceeds: int = 0


class Outcome(NamedTuple):
    """A line of the result with the place of its first transaction in the order of all."""

    seq: int
    disposal: Disposal


class Day:
    """What happened to one asset on one London day, in the units of its end."""

    __slots__ = ("consumed", "day", "opened", "ratio", "repaid", "sales", "sold", "taken_in")

    def __init__(self, day: int) -> None:
        self.day = day
        self.taken_in = Pool()
        self.opened = Pool()
        self.sales: list[Sale] = []
        self.sold = 0
        self.consumed: list[Sale] = []
        self.repaid: list[Sale] = []
        self.ratio = SCALE

    def sell(self, sale: Sale) -> None:
        """Put a disposal on the day's line."""
        self.sales.append(sale)
        self.sold += sale.amount

    def split(self, ratio: int) -> None:
        """Count what happened earlier in the day in new units."""
        self.ratio = product(self.ratio, ratio)
        self.taken_in.redenominate(ratio)
        self.opened.redenominate(ratio)
        self.sold = product(self.sold, ratio)
        self.consumed = [sale._replace(amount=product(sale.amount, ratio)) for sale in self.consumed]


class Matcher:
    """All days of one asset; `outcomes` settles them, as often as asked."""

    __slots__ = ("_days",)

    def __init__(self) -> None:
        self._days: dict[int, Day] = {}

    def on(self, at_us: int) -> Day:
        """Return the London day of the moment."""
        number = london_day(at_us)
        day = self._days.get(number)
        if day is None:
            day = self._days[number] = Day(number)
        return day

    def settle(self) -> "Settled":
        """Match every disposal and return the lines, the shortfalls of what was consumed, and the pool."""
        return Settled(sorted(self._days.values(), key=attrgetter("day")))


class Settled:
    """One settling of all days."""

    def __init__(self, days: list[Day]) -> None:
        self.pool = Pool()
        self.lines: list[Outcome] = []
        self.shortfalls: list[tuple[Shortfall, Sale]] = []
        self._days = days
        self._left = [Pool(amount=day.taken_in.amount, cost=day.taken_in.cost) for day in days]
        self._unmatched = [day.sold for day in days]
        self._matches: list[list[Match]] = [[] for _ in days]
        for index in range(len(days)):
            self._match(index, index, "same_day", Fraction(1))
        for index in range(len(days)):
            self._match_ahead(index)
        for index, day in enumerate(days):
            self.lines.extend(self._pooled(index, day))

    def _match_ahead(self, index: int) -> None:
        ratio = Fraction(1)
        for later in range(index + 1, len(self._days)):
            if not self._unmatched[index] or self._days[later].day - self._days[index].day > _WINDOW_DAYS:
                return
            ratio *= Fraction(self._days[later].ratio, SCALE)
            self._match(index, later, "thirty_day", ratio)

    def _match(self, sold: int, bought: int, rule: str, ratio: Fraction) -> None:
        """Match a day's disposals with a day's acquisitions, whose units are `ratio` to one of the former."""
        wanted = self._unmatched[sold]
        there = self._left[bought]
        if not wanted or not there.amount:
            return
        within_reach = _scaled_by(there.amount, 1 / ratio)
        if within_reach <= wanted:
            matched = within_reach
            _, cost = there.take(there.amount)
        else:
            matched = wanted
            _, cost = there.take(_scaled_by(wanted, ratio))
        self._unmatched[sold] -= matched
        self._matches[sold].append(Match(rule, self._days[bought].day, matched, cost))

    def _pooled(self, index: int, day: Day) -> Iterator[Outcome]:
        pool, left = self.pool, self._left[index]
        pool.redenominate(day.ratio)
        pool.add(amount=day.opened.amount, cost=day.opened.cost)
        pool.add(amount=left.amount, cost=left.cost)
        first_sale = day.sales[0].seq if day.sales else 0
        for repayment in day.repaid:
            if repayment.seq < first_sale or not day.sales:
                yield from self._repaid(day, repayment)
        if day.sales:
            yield Outcome(first_sale, self._sold(index, day))
        for sale in day.consumed:
            found, _ = pool.take(sale.amount)
            self._note(sale.tx, sale, found=found, missing=sale.amount - found)
        for repayment in day.repaid:
            if day.sales and repayment.seq > first_sale:
                yield from self._repaid(day, repayment)

    def _sold(self, index: int, day: Day) -> Disposal:
        matches, unmatched = self._matches[index], self._unmatched[index]
        found, cost = self.pool.take(unmatched)
        if found:
            matches.append(Match("s104", None, found, cost))
        first = day.sales[0]
        accounts, proceeds = {sale.account for sale in day.sales}, sum(sale.proceeds for sale in day.sales)
        total = sum(match.cost for match in matches)
        missing = unmatched - found
        self._note(first.tx, first, found=day.sold - missing, missing=missing)
        return Disposal(
            tx=first.tx,
            kind=first.kind,
            asset=first.asset,
            account=first.account if len(accounts) == 1 else None,
            at_us=first.at_us,
            amount=day.sold,
            proceeds=proceeds,
            cost=total,
            gain=proceeds - total,
            term=None,
            missing=missing,
            day=day.day,
            matches=tuple(matches),
            txs=tuple(sale.tx for sale in day.sales),
        )

    def _note(self, tx: str, sale: Sale, *, found: int, missing: int) -> None:
        if missing:
            shortfall = Shortfall(tx, sale.asset, sale.account, sale.at_us, found, missing)
            self.shortfalls.append((shortfall, sale))

    def _repaid(self, day: Day, repayment: Sale) -> Iterator[Outcome]:
        beyond = self.pool.lower_cost(repayment.proceeds)
        if beyond:
            record = Disposal(
                tx=repayment.tx,
                kind=repayment.kind,
                asset=repayment.asset,
                account=repayment.account,
                at_us=repayment.at_us,
                amount=0,
                proceeds=beyond,
                cost=0,
                gain=beyond,
                term=None,
                day=day.day,
                matches=(),
                txs=(repayment.tx,),
            )
            yield Outcome(repayment.seq, record)


def london_day(at_us: int) -> int:
    """Return the number of days from 1970 to the London date of the moment; clocks change on the hour only."""
    return _day_of_hour(at_us // _HOUR_US)


@lru_cache(maxsize=100_000)
def _day_of_hour(hour: int) -> int:
    return (_EPOCH + timedelta(hours=hour)).astimezone(_LONDON).date().toordinal() - _FIRST_DAY


def day_text(day: int) -> str:
    """Print a day as an ISO date."""
    return date.fromordinal(day + _FIRST_DAY).isoformat()


def _scaled_by(amount: int, ratio: Fraction) -> int:
    return half_even(amount * ratio.numerator, ratio.denominator)
