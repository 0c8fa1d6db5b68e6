"""What a portfolio's assets are worth in its money of account, and which values its sources left open."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from django.db.models import F, Q

from apps.core.cache import RedisOutage
from apps.markets.models import Asset
from apps.markets.models.catalogue import AssetKind
from apps.markets.queries import rates
from apps.markets.queries.rates import Rate
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import Portfolio, Transaction, TransactionQuerySet, Valuation, ValueState

log = structlog.get_logger(__name__)

_VALUED: Final = (EntryType.INCOME.value, EntryType.SPEND.value, EntryType.FEE.value)
_TRADED: Final = (EntryType.BUY.value, EntryType.SELL.value)


@dataclass(frozen=True, slots=True)
class OpenValues:
    """How many entries stand without a value that they need."""

    pending: int
    unpriced: int


def prices_of(*, assets: Collection[str], currency: str, at: datetime | None = None, now: datetime) -> dict[str, Rate]:
    """Return what one of each asset is worth; while the cache of prices is away, nothing is."""
    if not assets:
        return {}
    try:
        return rates(sources=assets, target=currency, at=at, now=now)
    except RedisOutage:
        log.warning("No prices while Redis is away")
        return {}


def moneys_among(*, assets: Collection[str]) -> frozenset[str]:
    """Return which of the assets are currencies or stablecoins: what a trade against them is worth is certain."""
    kinds = (AssetKind.FIAT, AssetKind.STABLECOIN)
    return frozenset(Asset.objects.filter(symbol__in=assets, kind__in=kinds).values_list("symbol", flat=True))


def entries_to_value(*, portfolio: Portfolio) -> TransactionQuerySet:
    """Return the standing transactions that need a value which neither their source nor a price has told yet."""
    money = portfolio.currency
    untold = (
        Q(type=EntryType.TRADE.value, value=None)
        | Q(type__in=(*_VALUED, *_TRADED), value=None, price=None)
        | Q(type=EntryType.TRANSFER.value, received__lt=F("amount"), fee_value=None)
        | (Q(fee__gt=0, fee_value=None) & ~Q(fee_asset__in=("", money)))
        | ~Q(quote__in=("", money))
    )
    rows = Transaction.objects.filter(untold, portfolio=portfolio).standing().untold()
    return rows.exclude(valuation__state=ValueState.PRICED)


def open_values(*, portfolio: Portfolio) -> OpenValues:
    """Count the entries whose value is not known, by whether it may still come."""
    standing = Valuation.objects.filter(portfolio=portfolio, transaction__reversed_in=None)
    unpriced = standing.filter(state=ValueState.UNPRICED).count()
    return OpenValues(pending=entries_to_value(portfolio=portfolio).count() - unpriced, unpriced=unpriced)
