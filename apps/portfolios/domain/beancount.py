"""The ledger as a beancount file: every entry balances, names are spelled as beancount allows, amounts are exact.

Coins carry the price of their entry, not a cost: which lot leaves is the booking engine's matter, not beancount's.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, localcontext
from typing import Final

from apps.core.money import MAX_FRACTION_DIGITS, plain, rounded
from apps.portfolios.domain.booking import line_of
from apps.portfolios.domain.booking.scaled import text
from apps.portfolios.domain.movements import movements
from apps.portfolios.domain.transactions import Entry, EntryType

_DIGITS: Final = 200
_LONGEST_NAME: Final = 24
_MONEY: Final = "Equity:Money"
_FEES: Final = "Expenses:Fees"
_OTHER_SIDES: Final = {
    EntryType.INCOME: "Income:Received",
    EntryType.SPEND: "Expenses:Spent",
    EntryType.FEE: _FEES,
    EntryType.POOL_OPENING: "Equity:Opening",
}
_ALWAYS_OPEN: Final = (_MONEY, _FEES, "Equity:Splits", "Income:Capital", *sorted({*_OTHER_SIDES.values()} - {_FEES}))


class _Names:
    """Spells names as beancount allows them, each in its own way."""

    def __init__(self, spell: Callable[[str], str]) -> None:
        self._spell = spell
        self._given: dict[str, str] = {}

    def of(self, name: str) -> str:
        """Return the spelling of a name, always the same and never that of another."""
        if name not in self._given:
            base = spelled = self._spell(name)
            taken, number = set(self._given.values()), 2
            while spelled in taken:
                spelled, number = f"{base[: _LONGEST_NAME - 4]}-{number}", number + 1
            self._given[name] = spelled
        return self._given[name]


def _commodity(name: str) -> str:
    spelled = re.sub(r"[^A-Z0-9.-]", "-", name.upper())[:_LONGEST_NAME].strip("-.")
    if not spelled or not spelled[0].isalpha():
        spelled = f"C{spelled}"[:_LONGEST_NAME].rstrip("-.")
    return spelled if len(spelled) > 1 else f"{spelled}-COIN"


def _account(name: str) -> str:
    spelled = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "Account"
    return spelled[0].upper() + spelled[1:]


def beancount_lines(entries: Iterable[Entry], *, money: str, title: str) -> Iterator[str]:
    """Yield the lines of the file; entries come in the order of booking."""
    told = list(entries)
    commodities, accounts = _Names(_commodity), _Names(_account)
    unit = commodities.of(money)
    yield f'option "title" {_quoted(title)}'
    yield f'option "operating_currency" "{unit}"'
    yield 'option "inferred_tolerance_default" "*:0.005"'
    if not told:
        return
    first = told[0].at.date().isoformat()
    names = dict.fromkeys(one.account for entry in told for one in movements(entry, money=money))
    for opened in (*_ALWAYS_OPEN, *(f"Assets:Coins:{accounts.of(name)}" for name in names)):
        yield f"{first} open {opened}"
    writer = _Writer(money, unit, commodities, accounts)
    for entry in told:
        yield ""
        yield f"{entry.at.date().isoformat()} * {_quoted(entry.type.value)}"
        yield f"  id: {_quoted(entry.id)}"
        yield from writer.postings(entry)


class _Writer:
    """Writes postings, and keeps the balances that a split is a multiple of."""

    def __init__(self, money: str, unit: str, commodities: _Names, accounts: _Names) -> None:
        self._money, self._unit = money, unit
        self._commodities, self._accounts = commodities, accounts
        self._balances: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)

    def postings(self, entry: Entry) -> Iterator[str]:
        """Yield the postings of one entry; together they balance."""
        with localcontext() as context:
            context.prec = _DIGITS
            if entry.type is EntryType.SPLIT:
                lines = list(self._split(entry))
            elif entry.type is EntryType.TRANSFER:
                lines = list(self._moved(entry))
            else:
                lines = list(self._valued(entry))
            for one in movements(entry, money=self._money):
                self._balances[one.account, one.asset] += one.amount
        yield from lines

    def _valued(self, entry: Entry) -> Iterator[str]:
        value = _value(entry)
        fee = entry.fee or Decimal(0)
        in_money = fee if entry.fee_asset in {None, self._money} else Decimal(0)
        fee_value = in_money or (entry.fee_value or Decimal(0)) if fee else Decimal(0)
        for one in movements(entry, money=self._money):
            yield self._coin(one.account, one.asset, one.amount, fee_value if one.is_fee else value)
        if entry.type is EntryType.RETURN_OF_CAPITAL:
            yield self._cash(_MONEY, value)
            yield self._cash("Income:Capital", -value)
        elif entry.type is not EntryType.TRADE:
            gives = entry.type in {EntryType.SELL, EntryType.SPEND, EntryType.FEE}
            yield self._cash(_OTHER_SIDES.get(entry.type, _MONEY), value if gives else -value)
        if fee_value:
            yield self._cash(_FEES, fee_value)
        if in_money:
            yield self._cash(_MONEY, -in_money)

    def _moved(self, entry: Entry) -> Iterator[str]:
        left: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in movements(entry, money=self._money):
            left[one.asset] -= one.amount
            name = self._commodities.of(one.asset)
            yield f"  Assets:Coins:{self._accounts.of(one.account)}  {plain(one.amount)} {name}"
        for asset, amount in left.items():
            if amount:
                yield f"  {_FEES}  {plain(amount)} {self._commodities.of(asset)}"

    def _split(self, entry: Entry) -> Iterator[str]:
        ratio = entry.ratio or Decimal(1)
        for (account, asset), amount in list(self._balances.items()):
            if asset != entry.asset or not amount:
                continue
            after = rounded(amount * ratio, digits=MAX_FRACTION_DIGITS)
            self._balances[account, asset] = after
            name = self._commodities.of(asset)
            yield f"  Assets:Coins:{self._accounts.of(account)}  {plain(after - amount)} {name}"
            yield f"  Equity:Splits  {plain(amount - after)} {name}"

    def _coin(self, account: str, asset: str, amount: Decimal, worth: Decimal) -> str:
        price = f"{_cents(worth)} {self._unit}"
        return f"  Assets:Coins:{self._accounts.of(account)}  {plain(amount)} {self._commodities.of(asset)} @@ {price}"

    def _cash(self, account: str, amount: Decimal) -> str:
        return f"  {account}  {_cents(amount)} {self._unit}"


def _value(entry: Entry) -> Decimal:
    found: int | None = getattr(line_of(entry), "value", None)
    return Decimal(text(found or 0))


def _cents(amount: Decimal) -> str:
    """Print money with two fraction digits at least: from them beancount learns how exact it is."""
    shown = plain(amount)
    whole, _, fraction = shown.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"


def _quoted(words: str) -> str:
    clean = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
    return f'"{clean}"'
