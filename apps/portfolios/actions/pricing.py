"""Values that a source left open are found in the prices of their moment, and kept with where they are from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

from django.db import transaction
from django.db.models import Q

from apps.core.money import fits, multiply
from apps.markets.queries.rates import Rate, RateState
from apps.portfolios.actions.portfolios import ledger_changed
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import Portfolio, Transaction, Valuation, ValueState
from apps.portfolios.queries.pricing import entries_to_value, moneys_among, prices_of

MOST_AT_ONCE: Final = 200
#: A value that was not to be had is asked for again after so long.
_PENDING_REST: Final = timedelta(minutes=1)
_UNPRICED_REST: Final = timedelta(days=1)

_Rates: TypeAlias = Mapping[str, Rate]


def value_entries(*, portfolio: Portfolio, most: int = MOST_AT_ONCE, now: datetime) -> int:
    """Find the values that entries were told without; return how many were found."""
    asked = Q(valuation=None) | Q(valuation__state=ValueState.PENDING, valuation__valued_at__lt=now - _PENDING_REST)
    asked |= Q(valuation__valued_at__lt=now - _UNPRICED_REST)
    rows = list(entries_to_value(portfolio=portfolio).filter(asked).order_by("-at")[:most])
    if not rows:
        return 0
    moneys = moneys_among(assets={asset for row in rows for asset in _assets(row)})
    found = [
        _valuation(row, rates, portfolio.currency, moneys, now)
        for at, same in _by_hour(rows).items()
        for rates in (_rates_at(same, portfolio.currency, at, now),)
        for row in same
    ]
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        Valuation.objects.bulk_create(
            found,
            update_conflicts=True,
            unique_fields=["transaction"],
            update_fields=["state", "value", "fee_value", "source", "price_at", "valued_at"],
        )
        ledger_changed(portfolio=held, since=min(row.at for row in rows))
    return sum(one.state == ValueState.PRICED for one in found)


def _by_hour(rows: Iterable[Transaction]) -> dict[datetime, list[Transaction]]:
    hours: defaultdict[datetime, list[Transaction]] = defaultdict(list)
    for row in rows:
        hours[row.at.replace(minute=0, second=0, microsecond=0)].append(row)
    return hours


def _rates_at(rows: Iterable[Transaction], currency: str, hour: datetime, now: datetime) -> _Rates:
    assets = {asset for row in rows for asset in _assets(row)}
    return prices_of(assets=assets, currency=currency, at=min(hour + timedelta(hours=1), now), now=now)


def _assets(row: Transaction) -> set[str]:
    return {asset for asset in (row.asset, row.out_asset, row.in_asset, row.fee_asset, row.quote) if asset}


class _Finder:
    """Reads rates and remembers what was used, and what was not to be had."""

    def __init__(self, rates: _Rates) -> None:
        self._rates = rates
        self.used: list[Rate] = []
        self.states: set[RateState] = set()

    def worth(self, asset: str, amount: Decimal | None) -> Decimal | None:
        """Return what an amount of an asset is worth, nothing if that is not known."""
        rate = self._rates.get(asset)
        if amount is None or rate is None or rate.value is None:
            self.states.add(RateState.PENDING if rate is None else rate.state)
            return None
        self.used.append(rate)
        worth = multiply(amount, rate.value)
        if fits(worth):
            return worth
        self.states.add(RateState.UNPRICED)
        return None


def _valuation(row: Transaction, rates: _Rates, money: str, moneys: frozenset[str], now: datetime) -> Valuation:
    finder = _Finder(rates)
    value = _value(row, finder, money, moneys)
    fee_value = _fee_value(row, finder, money)
    state = ValueState.PRICED
    if RateState.PENDING in finder.states:
        state = ValueState.PENDING
    elif RateState.UNPRICED in finder.states:
        state = ValueState.UNPRICED
    sources = dict.fromkeys(source for rate in finder.used for source in rate.sources)
    return Valuation(
        transaction=row,
        portfolio_id=row.portfolio_id,
        state=state,
        value=value,
        fee_value=fee_value,
        source=", ".join(sources)[:120],
        price_at=min((rate.at for rate in finder.used), default=None),
        valued_at=now,
    )


def _value(row: Transaction, finder: _Finder, money: str, moneys: frozenset[str]) -> Decimal | None:
    if row.type in {EntryType.TRANSFER, EntryType.SPLIT}:
        return None
    told = row.value
    if told is None and row.price is not None and row.amount is not None:
        told = multiply(row.price, row.amount)
    if row.quote not in {"", money} and told is not None:
        return finder.worth(row.quote, told)
    if told is not None:
        return None
    if row.type != EntryType.TRADE:
        return finder.worth(row.asset, row.amount)
    return _traded(row, finder, money, moneys)


def _traded(row: Transaction, finder: _Finder, money: str, moneys: frozenset[str]) -> Decimal | None:
    """Return the worth of a trade: by its side in money if it has one, else by what was given, else by what came."""
    sides = [(row.out_asset, row.out_amount), (row.in_asset, row.in_amount)]
    if row.out_asset != money and (row.in_asset == money or (row.in_asset in moneys and row.out_asset not in moneys)):
        sides.reverse()
    for asset, amount in sides:
        worth = finder.worth(asset, amount)
        if worth is not None:
            finder.states.clear()
            return worth
    return None


def _fee_value(row: Transaction, finder: _Finder, money: str) -> Decimal | None:
    if row.type == EntryType.TRANSFER and row.fee_value is None and row.received is not None:
        return finder.worth(row.asset, (row.amount or Decimal(0)) - row.received)
    foreign = row.quote not in {"", money}
    if foreign and row.fee is not None and row.fee_asset in {"", row.quote}:
        return finder.worth(row.quote, row.fee)
    if foreign and row.fee_value is not None:
        return finder.worth(row.quote, row.fee_value)
    if row.fee and row.fee_value is None and row.fee_asset not in {"", money}:
        return finder.worth(row.fee_asset, row.fee)
    return None
