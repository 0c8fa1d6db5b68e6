"""What books under the United Kingdom's rules come to when the days of all assets are settled now."""

from operator import attrgetter

from apps.portfolios.domain.booking.basis import Key
from apps.portfolios.domain.booking.books import Books, acquisition_missing
from apps.portfolios.domain.booking.records import Disposal, OpenLot, Problem, Shortfall, Totals
from apps.portfolios.domain.booking.scaled import product
from apps.portfolios.domain.booking.section104 import Settled
from apps.portfolios.domain.policy import Missing

Holdings = dict[tuple[str, str], int]


class Matched:
    """One settling of all days; what was booked by other rules before is in the totals and holdings."""

    def __init__(self, books: Books) -> None:
        settled = [(asset, matcher.settle()) for asset, matcher in books.matchers.items()]
        lines = sorted((line for _, one in settled for line in one.lines), key=attrgetter("seq"))
        self.disposals: list[Disposal] = [line.disposal for line in lines]
        self.pools: dict[Key, tuple[int, int]] = {
            (asset, None): (one.pool.amount, one.pool.cost) for asset, one in settled
        }
        self.open_lots = [
            OpenLot(None, asset, None, amount, cost, None, 0)
            for (asset, _), (amount, cost) in self.pools.items()
            if amount or cost
        ]
        before, realised = books.totals, sum(disposal.gain for disposal in self.disposals)
        self.totals = Totals(before.realised + realised, before.short, before.long, before.income, before.fees)
        self.shortfalls: list[Shortfall] = []
        self.problems: list[Problem] = []
        self.never = dict(books.never)
        self._short: list[str] = []
        self._never = [(place, 0, missing) for place, missing in books.never.items()]
        for _, one in settled:
            self._missing(one)
        if books.policy.missing is Missing.ERROR:
            self.problems = [acquisition_missing(tx) for tx in dict.fromkeys(self._short)]
        self.holdings = self._held(books)

    def _missing(self, settled: Settled) -> None:
        for shortfall, sale in settled.shortfalls:
            place = (sale.account, sale.asset)
            self.shortfalls.append(shortfall)
            self.never[place] = self.never.get(place, 0) + shortfall.missing
            self._never.append((place, sale.seq, shortfall.missing))
            self._short.append(sale.line)

    def _held(self, books: Books) -> Holdings:
        """Return the sums of entries over all splits; what was missing never was there and does not grow."""
        before: Holdings = {}
        for era in books.eras:
            for place, amount in era.held.items():
                never = sum(missing for where, seq, missing in self._never if where == place and seq < era.seq)
                before[place] = product(before.get(place, 0) + amount + never, era.ratio) - never
        return {place: before.get(place, 0) + amount for place, amount in books.holdings.items()}
