"""A ledger lived through again, day by day: what was held, what it was worth, and what was put in and taken out.

What has no price on a day is left out of that day's value and named. It leaves what is measured at its last worth, and
comes back at its first, so that a price that is not known looks neither like a loss nor like a gain.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from itertools import groupby
from typing import Final, Protocol

from apps.portfolios.domain.legs import Leg, fees_paid, legs
from apps.portfolios.domain.measures.arithmetic import WIDE
from apps.portfolios.domain.transactions import Entry, EntryType

DAY_US: Final = 86_400_000_000
_ZERO: Final = Decimal(0)


class DailyPrices(Protocol):
    """What one of an asset was worth at the end of each day, days counted from 1970-01-01."""

    def value(self, day: int) -> Decimal | None:
        """Return the worth at the end of a day, or None."""


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """The end of one day. Deposits and withdrawals are all money; inflow and outflow that of what is priced."""

    day: int
    value: Decimal
    inflow: Decimal
    outflow: Decimal
    deposits: Decimal
    withdrawals: Decimal
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The days from the first entry on, and what assets and accounts made from `since` to the last day."""

    days: tuple[HistoryDay, ...]
    by_asset: Mapping[str, Decimal]
    by_account: Mapping[str, Decimal]
    fees: Decimal
    income: Decimal


@dataclass(slots=True)
class _Book:
    """What is held at the moment, by asset and account, and the prices of what was held when the day began."""

    held: dict[str, defaultdict[str, Decimal]] = field(default_factory=dict)
    total: dict[str, Decimal] = field(default_factory=dict)
    last: dict[str, Decimal] = field(default_factory=dict)
    #: What was held when the day began, of the assets that moved in it.
    before: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def move(self, leg: Leg) -> None:
        amounts = self.touched(leg.asset)
        amounts[leg.account] += leg.quantity
        self.total[leg.asset] += leg.quantity

    def split(self, asset: str, ratio: Decimal) -> None:
        for amounts in (self.touched(asset), self.before[asset]):
            for account in amounts:
                amounts[account] *= ratio
        self.total[asset] *= ratio
        if asset in self.last:
            self.last[asset] /= ratio

    def touched(self, asset: str) -> defaultdict[str, Decimal]:
        amounts = self.held.get(asset)
        if amounts is None:
            amounts = self.held[asset] = defaultdict(Decimal)
            self.total[asset] = _ZERO
        if asset not in self.before:
            self.before[asset] = dict(amounts)
        return amounts

    def at_start(self, asset: str) -> Mapping[str, Decimal]:
        return self.before.get(asset, self.held[asset])

    def close(self, prices: dict[str, Decimal]) -> None:
        """Remember a day's prices, and forget what is not held any more."""
        for asset in self.before:
            if not any(self.held[asset].values()):
                del self.held[asset], self.total[asset]
                prices.pop(asset, None)
        self.last = prices
        self.before = {}


@dataclass(slots=True)
class _Profits:
    """What came out of assets and accounts: their worth at the end less the worth at the start and the money put in."""

    by_asset: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    by_account: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    fees: Decimal = _ZERO
    income: Decimal = _ZERO

    def add(self, asset: str, account: str, worth: Decimal) -> None:
        self.by_asset[asset] += worth
        self.by_account[account] += worth


@dataclass(slots=True)
class _Flows:
    """The money of one day."""

    inflow: Decimal = _ZERO
    outflow: Decimal = _ZERO
    deposits: Decimal = _ZERO
    withdrawals: Decimal = _ZERO

    def measured(self, net: Decimal) -> None:
        self.inflow += max(net, _ZERO)
        self.outflow -= min(net, _ZERO)

    def told(self, net: Decimal) -> None:
        self.deposits += max(net, _ZERO)
        self.withdrawals -= min(net, _ZERO)


def history(
    entries: Iterable[Entry], *, money: str, prices: Mapping[str, DailyPrices], last_day: int, since: int | None = None
) -> History:
    """Return the days from the day before the first entry to the last; entries come in their order of booking."""
    by_day = [(day, list(group)) for day, group in groupby(entries, key=day_of) if day <= last_day]
    if not by_day:
        return History((), {}, {}, _ZERO, _ZERO)
    first = by_day[0][0]
    start = first if since is None else max(first, since)
    book, profits, entries_of = _Book(), _Profits(), dict(by_day)
    days = [HistoryDay(first - 1, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO)]
    with localcontext(WIDE):
        for day in range(first, last_day + 1):
            if day == start:
                _settle(book, profits, sign=-1)
            watching = profits if day >= start else _Profits()
            days.append(_lived(day, entries_of.get(day, ()), book, watching, _DayPrices(prices, money, day)))
        if last_day >= start:
            _settle(book, profits, sign=1)
    return History(tuple(days), dict(profits.by_asset), dict(profits.by_account), profits.fees, profits.income)


def day_of(entry: Entry) -> int:
    """Return the UTC day of an entry, counted from 1970-01-01."""
    return entry.at_us // DAY_US


class _DayPrices:
    """The prices of one day, each asked for once; money is worth itself."""

    def __init__(self, prices: Mapping[str, DailyPrices], money: str, day: int) -> None:
        self._prices, self.money, self._day = prices, money, day
        self._known: dict[str, Decimal | None] = {money: Decimal(1)}

    def __call__(self, asset: str) -> Decimal | None:
        if asset not in self._known:
            series = self._prices.get(asset)
            self._known[asset] = None if series is None else series.value(self._day)
        return self._known[asset]


def _lived(day: int, entries: Sequence[Entry], book: _Book, profits: _Profits, price_of: _DayPrices) -> HistoryDay:
    flows = _Flows()
    for entry in entries:
        _happened(entry, book, flows, profits, price_of)
    value, unpriced = _ZERO, list[str]()
    prices: dict[str, Decimal] = {}
    for asset, amount in book.total.items():
        price, last = price_of(asset), book.last.get(asset)
        if price is not None:
            value += amount * price
            prices[asset] = price
            if last is None:
                _come(asset, price, book, flows, profits)
            continue
        if last is not None:
            _come(asset, -last, book, flows, profits)
        if amount:
            unpriced.append(asset)
    book.close(prices)
    return HistoryDay(
        day, value, flows.inflow, flows.outflow, flows.deposits, flows.withdrawals, tuple(sorted(unpriced))
    )


def _happened(entry: Entry, book: _Book, flows: _Flows, profits: _Profits, price_of: _DayPrices) -> None:
    if entry.type is EntryType.SPLIT and entry.asset and entry.ratio:
        book.split(entry.asset, entry.ratio)
    told = measured = _ZERO
    for leg in legs(entry, money=price_of.money, price_of=price_of):
        book.move(leg)
        price = price_of(leg.asset)
        net = leg.fixed + (leg.counted * price if price is not None else _ZERO)
        told += net
        if price is not None:
            measured += net
            profits.add(leg.asset, leg.account, -net)
    flows.told(told)
    flows.measured(measured)
    profits.fees += fees_paid(entry, money=price_of.money, price_of=price_of)
    if entry.type is EntryType.INCOME:
        profits.income += _received(entry, price_of)


def _received(entry: Entry, price_of: _DayPrices) -> Decimal:
    if entry.value is not None:
        return entry.value
    price = entry.price if entry.price is not None else price_of(entry.asset or "")
    return _ZERO if price is None else price * (entry.amount or _ZERO)


def _come(asset: str, price: Decimal, book: _Book, flows: _Flows, profits: _Profits) -> None:
    """Let in at its first worth what has found a price; at its last, taken negative, let out what has lost it."""
    parts = {account: amount * price for account, amount in book.at_start(asset).items()}
    flows.measured(sum(parts.values(), _ZERO))
    for account, net in parts.items():
        profits.add(asset, account, -net)


def _settle(book: _Book, profits: _Profits, *, sign: int) -> None:
    for asset, price in book.last.items():
        for account, amount in book.held[asset].items():
            profits.add(asset, account, sign * amount * price)
