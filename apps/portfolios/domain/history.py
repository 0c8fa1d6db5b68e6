"""A ledger lived through again, day by day: what was held, what it was worth, and what was put in and taken out.

What has no price on a day is left out of that day's value and named. It leaves what is measured at its last worth, and
comes back at its first, so that a price that is not known looks neither like a loss nor like a gain.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from itertools import groupby
from typing import Any, Final, Protocol

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of assets and accounts from the first entry to the end of a day, what is held counted at its worth.

    `worth` names the assets that are held and have a price: their parts belong to every stretch that ends or begins
    here, even where they made nothing.
    """

    by_asset: Mapping[str, Decimal]
    by_account: Mapping[str, Decimal]
    fees: Decimal
    income: Decimal
    worth: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    def since(self, start: "Outcome") -> "Outcome":
        """Return what came of it after an earlier day."""
        with localcontext(WIDE):
            return Outcome(
                _grown(self.by_asset, start.by_asset, self.worth | start.worth),
                _grown(self.by_account, start.by_account, self.places | start.places),
                self.fees - start.fees,
                self.income - start.income,
            )


NOTHING: Final = Outcome({}, {}, _ZERO, _ZERO)


class Standing:
    """Where a ledger stands at the end of a day; living on moves it, and it can be written down and taken up again."""

    def __init__(self) -> None:
        self._book, self._profits = _Book(), _Profits()

    @property
    def assets(self) -> set[str]:
        """Return what is held, in whatever amount."""
        return set(self._book.total)

    def live(
        self,
        entries: Mapping[int, Sequence[Entry]],
        *,
        money: str,
        prices: Mapping[str, DailyPrices],
        first_day: int,
        last_day: int,
    ) -> list[HistoryDay]:
        """Live through the days of a stretch, and return the end of each; entries come by day, in order of booking."""
        with localcontext(WIDE):
            return [
                _lived(day, entries.get(day, ()), self._book, self._profits, _DayPrices(prices, money, day))
                for day in range(first_day, last_day + 1)
            ]

    def outcome(self) -> Outcome:
        """Return what came of everything up to here."""
        made = _Profits(self._profits.by_asset.copy(), self._profits.by_account.copy())
        places: set[str] = set()
        with localcontext(WIDE):
            for asset, price in self._book.last.items():
                for account, amount in self._book.held[asset].items():
                    made.add(asset, account, amount * price)
                    places.add(account)
        worth, profits = frozenset(self._book.last), self._profits
        return Outcome(made.by_asset, made.by_account, profits.fees, profits.income, worth, frozenset(places))

    def written(self) -> dict[str, Any]:
        """Return it as plain text, digit by digit."""
        book, profits = self._book, self._profits
        return {
            "held": {asset: _texts(amounts) for asset, amounts in book.held.items()},
            "total": _texts(book.total),
            "last": _texts(book.last),
            "by_asset": _texts(profits.by_asset),
            "by_account": _texts(profits.by_account),
            "fees": str(profits.fees),
            "income": str(profits.income),
        }

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> "Standing":
        """Take up again what was written down."""
        found = cls()
        held = {asset: defaultdict(Decimal, _numbers(amounts)) for asset, amounts in written["held"].items()}
        found._book = _Book(held, _numbers(written["total"]), _numbers(written["last"]))
        found._profits = _Profits(
            defaultdict(Decimal, _numbers(written["by_asset"])),
            defaultdict(Decimal, _numbers(written["by_account"])),
            Decimal(written["fees"]),
            Decimal(written["income"]),
        )
        return found


def history(
    entries: Iterable[Entry], *, money: str, prices: Mapping[str, DailyPrices], last_day: int, since: int | None = None
) -> History:
    """Return the days from the day before the first entry to the last; entries come in their order of booking."""
    happened = {day: rows for day, rows in by_day(entries).items() if day <= last_day}
    if not happened:
        return History((), {}, {}, _ZERO, _ZERO)
    first = min(happened)
    start = first if since is None else min(max(first, since), last_day + 1)
    standing = Standing()
    days = [before(first)]
    days += standing.live(happened, money=money, prices=prices, first_day=first, last_day=start - 1)
    earlier = standing.outcome()
    days += standing.live(happened, money=money, prices=prices, first_day=start, last_day=last_day)
    made = standing.outcome().since(earlier) if start <= last_day else NOTHING
    return History(tuple(days), made.by_asset, made.by_account, made.fees, made.income)


def by_day(entries: Iterable[Entry]) -> dict[int, list[Entry]]:
    """Return the entries of each day, in their order; a matched transfer may belong to a day before its place."""
    found: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[day_of(entry)].append(entry)
    return dict(found)


def before(day: int) -> HistoryDay:
    """Return the empty day before the first one."""
    return HistoryDay(day - 1, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO)


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
    for _moment, together in groupby(entries, key=lambda entry: entry.at_us):
        some = list(together)
        pays = any(_is_payment(entry, price_of.money) for entry in some)
        for each in [some] if pays else [[entry] for entry in some]:
            _happened(each, book, flows, profits, price_of)
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


def _is_payment(entry: Entry, money: str) -> bool:
    """Tell whether the money of account itself moves: at a venue it pays for what is bought at the same moment."""
    return entry.type is EntryType.TRANSFER and entry.asset == money


def _happened(entries: Sequence[Entry], book: _Book, flows: _Flows, profits: _Profits, price_of: _DayPrices) -> None:
    """Let entries happen whose money is one: what comes in and goes out at once is no flow."""
    told = measured = _ZERO
    for entry in entries:
        if entry.type is EntryType.SPLIT and entry.asset and entry.ratio:
            book.split(entry.asset, entry.ratio)
        for leg in legs(entry, money=price_of.money, price_of=price_of):
            book.move(leg)
            price = price_of(leg.asset)
            net = leg.fixed + (leg.counted * price if price is not None else _ZERO)
            told += net
            if price is not None:
                measured += net
                profits.add(leg.asset, leg.account, -net)
        profits.fees += fees_paid(entry, money=price_of.money, price_of=price_of)
        if entry.type is EntryType.INCOME:
            profits.income += _received(entry, price_of)
    flows.told(told)
    flows.measured(measured)


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


def _grown(end: Mapping[str, Decimal], start: Mapping[str, Decimal], held: frozenset[str]) -> dict[str, Decimal]:
    """Return by how much each has grown; what neither moved nor was held has no part in it."""
    grown = {name: number - start.get(name, _ZERO) for name, number in end.items()}
    return {name: number for name, number in grown.items() if number or name in held or name not in start}


def _texts(numbers: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items()}


def _numbers(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in texts.items()}
