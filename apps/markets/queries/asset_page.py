"""What the page of one market shows: its price, the same asset on other venues, its ranges."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import F

from apps.accounts.models import User
from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.market_table import MarketRow, moved
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import Asset, Instrument, QuarantinedCandle, QuarantineState
from apps.markets.models.catalogue import world_is_simulated
from apps.markets.queries.candles import candles
from apps.markets.queries.market_table import market_rows, prices_or_none
from apps.markets.queries.quality import SeriesQuality, data_quality, quarantined

KEPT_OUT_SHOWN: Final = 50
#: Stretches of time by name: how many candles of which length.
SPANS: Final = {"day": (Timeframe.H1, 24), "month": (Timeframe.D1, 30), "year": (Timeframe.D1, 365)}
#: A stretch is shown when its candles begin in its first part.
LATEST_START: Final = 0.1


@dataclass(frozen=True, slots=True)
class VenuePrice:
    """The asset on one venue; `comparable` when both quotes are the same or worth the same currency."""

    row: MarketRow
    here: bool
    comparable: bool
    apart: Decimal | None


@dataclass(frozen=True, slots=True)
class Span:
    """The lowest and the highest price of a stretch of time, and where the price is between them."""

    code: str
    low: Decimal
    high: Decimal
    change: Decimal | None
    share: int


@dataclass(frozen=True, slots=True)
class AssetPage:
    """One market."""

    row: MarketRow
    simulated: bool
    active: bool
    venues: tuple[VenuePrice, ...]
    spans: tuple[Span, ...]
    spread: Decimal | None
    pairs: int
    traded: Decimal | None
    quality: tuple[SeriesQuality, ...]
    quarantine: tuple[QuarantinedCandle, ...]
    timeframes: tuple[str, ...] = tuple(Timeframe)


def asset_page(*, user: User, name: InstrumentName, now: datetime) -> AssetPage | None:
    """Return what the page of one market shows; nothing where this world knows no such market."""
    found = Instrument.objects.here().named(name).select_related("base", "quote").first()
    if found is None:
        return None
    others = Instrument.objects.here().active().filter(base=found.base).exclude(pk=found.pk).by_size()
    pairs = list(others.select_related("quote"))
    kin = [found, *_one_a_venue(found, pairs)]
    rows = {row.name: row for row in market_rows(user=user, names=[str(one) for one in kin])}
    row = rows[found.name]
    venues = tuple(_beside(one, found, rows) for one in kin)
    price = prices_or_none(names=[str(name)]).get(str(name))
    return AssetPage(
        row=row,
        simulated=world_is_simulated(),
        active=found.active,
        venues=venues,
        spans=_spans(found, row, int(now.timestamp() * 1000)),
        spread=_spread(venues),
        pairs=len(pairs) + 1,
        traded=Decimal(price.volume_24h) if price and price.volume_24h is not None else None,
        quality=data_quality(instrument=found),
        quarantine=_waiting(user, found),
    )


def preferred_instrument(*, symbol: str) -> InstrumentName | None:
    """Return the market that stands for an asset: the largest that trades it; nothing where none does."""
    asset = Asset.objects.filter(symbol=symbol.upper()).select_related("merged_into").first()
    if asset is None:
        return None
    asset = asset.merged_into or asset
    markets = Instrument.objects.here().filter(base=asset)
    found = markets.order_by("-active", F("volume_usd").desc(nulls_last=True), "id").first()
    return found.name if found else None


def _spans(instrument: Instrument, row: MarketRow, now_ms: int) -> tuple[Span, ...]:
    price = row.price
    if price is None:
        return ()
    found = [_span(instrument, code, timeframe, count, price, now_ms) for code, (timeframe, count) in SPANS.items()]
    spans = [span for span in found if span]
    if spans and spans[0].code == "day" and row.change_24h is not None:
        spans[0] = replace(spans[0], change=row.change_24h)  # the venue's own, as at the head of the page
    return tuple(spans)


def _span(
    instrument: Instrument, code: str, timeframe: Timeframe, count: int, price: Decimal, now_ms: int
) -> Span | None:
    length = timeframe.milliseconds
    start = now_ms - count * length
    page = candles(instrument=instrument, timeframe=timeframe, now_ms=now_ms, from_ms=start, limit=count + 1)
    if not len(page.candles) or page.candles.first_ts > start + max(2, count * LATEST_START) * length:
        return None
    low = min(Decimal(str(page.candles.low.min())), price)
    high = max(Decimal(str(page.candles.high.max())), price)
    share = int((price - low) / (high - low) * 100) if high > low else 50
    return Span(code, low, high, moved(Decimal(str(page.candles.open[0])), price), share)


def _waiting(user: User, instrument: Instrument) -> tuple[QuarantinedCandle, ...]:
    """Return the candles that wait for a decision, to those who may decide."""
    if not user.runs_instance:
        return ()
    return tuple(quarantined(state=QuarantineState.OPEN, instrument=instrument)[:KEPT_OUT_SHOWN])


def _one_a_venue(here: Instrument, pairs: list[Instrument]) -> list[Instrument]:
    """Return the pair of each other venue that compares best: the same quote, one worth the same, the largest."""
    best: dict[str, Instrument] = {}
    near = sorted(pairs, key=lambda one: (one.quote_id != here.quote_id, _worth(one.quote) != _worth(here.quote)))
    for one in near:
        best.setdefault(one.venue, one)
    best.pop(here.venue, None)
    return [best[venue] for venue in sorted(best)]


def _beside(one: Instrument, here: Instrument, rows: dict[InstrumentName, MarketRow]) -> VenuePrice:
    comparable = _worth(one.quote) == _worth(here.quote)
    apart = moved(rows[here.name].price, rows[one.name].price) if comparable else None
    return VenuePrice(row=rows[one.name], here=one == here, comparable=comparable, apart=apart)


def _worth(quote: Asset) -> str:
    return quote.peg or quote.symbol


def _spread(venues: tuple[VenuePrice, ...]) -> Decimal | None:
    prices = [place.row.price for place in venues if place.comparable and place.row.price is not None]
    return moved(min(prices), max(prices)) if len(prices) > 1 else None
