"""One asset with all that is known of it: its price in a currency, how that moved, where it is traded."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import F

from apps.accounts.models import User
from apps.accounts.queries import preferences_of
from apps.core.money import rounded
from apps.markets.domain.prices import Price
from apps.markets.models import Asset, Instrument, MarketSummary
from apps.markets.queries.catalogue import asset, names_of
from apps.markets.queries.prices import latest_prices
from apps.markets.queries.rates import Rate, rate

MOST_INSTRUMENTS: Final = 200
_CHANGE_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class AssetDetail:
    """An asset; the changes are those of its largest instrument, in that instrument's quote."""

    symbol: str
    name: str
    kind: str
    peg: str
    digits: int
    is_active: bool
    also_known_as: tuple[str, ...]
    price: Rate
    instrument: str | None
    change_1h: Decimal | None
    change_24h: Decimal | None
    change_7d: Decimal | None
    instruments: tuple[Instrument, ...]


def asset_detail(*, user: User, symbol: str, currency: str = "", now: datetime) -> AssetDetail:
    """Return the asset that a symbol means, priced in a currency or else in the person's own."""
    found = asset(symbol=symbol, now=now)
    traded = tuple(_traded(found))
    first = next((row for row in traded if row.base_id == found.pk), None)
    price = latest_prices(instruments=[str(first)]).get(str(first)) if first else None
    summary = MarketSummary.objects.filter(instrument=first).first() if first else None
    return AssetDetail(
        symbol=found.symbol,
        name=found.name,
        kind=found.kind,
        peg=found.peg,
        digits=found.digits,
        is_active=found.is_active,
        also_known_as=tuple(names_of(asset=found)),
        price=rate(source=found.symbol, target=currency or preferences_of(user=user).display_currency, now=now),
        instrument=str(first) if first else None,
        change_1h=_change(price, summary.price_1h_ago if summary else None),
        change_24h=Decimal(price.change_24h) if price and price.change_24h is not None else None,
        change_7d=_change(price, summary.price_7d_ago if summary else None),
        instruments=traded,
    )


def _traded(found: Asset) -> list[Instrument]:
    """Return what trades the asset, then what it is the quote of, the largest first; what vanished comes last."""
    size = F("volume_usd").desc(nulls_last=True)
    here = Instrument.objects.here()
    rows = list(here.filter(base=found).order_by("-active", size, "id")[:MOST_INSTRUMENTS])
    left = MOST_INSTRUMENTS - len(rows)
    return rows + list(here.filter(quote=found).order_by("-active", size, "id")[:left])


def _change(price: Price | None, before: float | None) -> Decimal | None:
    if price is None or not before:
        return None
    return rounded(Decimal(price.price) / Decimal(repr(before)) - 1, digits=_CHANGE_DIGITS)
