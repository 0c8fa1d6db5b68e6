"""Makes assets, instruments, listings, prices and watchlists for tests."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.accounts.models import User
from apps.core import clock
from apps.core.cache import redis_client
from apps.core.ids import uuid7
from apps.markets.domain.assets import facts_of
from apps.markets.domain.instruments import DayFigures, InstrumentName, Listing
from apps.markets.domain.prices import Price, for_cache, prices_key
from apps.markets.models import Asset, Instrument, Watchlist, WatchlistItem
from apps.markets.models.catalogue import world_is_simulated
from apps.markets.queries import current_world


def make_asset(symbol: str = "BTC", **changes: object) -> Asset:
    """Return the asset of that symbol, made as the catalog would make it."""
    facts = facts_of(symbol)
    values = {"name": facts.name, "kind": facts.kind, "peg": facts.peg, "digits": facts.digits, **changes}
    return Asset.objects.get_or_create(symbol=symbol, defaults=values)[0]


def make_instrument(
    name: str = "binance:BTC/USDT",
    *,
    active: bool = True,
    simulated: bool | None = None,
    now: datetime | None = None,
    volume_usd: str | None = None,
    price_digits: int = 2,
    amount_digits: int = 5,
) -> Instrument:
    """Make an instrument of this world, with its assets."""
    parsed, moment = InstrumentName.parse(name), now or clock.now()
    return Instrument.objects.create(
        simulated=world_is_simulated() if simulated is None else simulated,
        venue=parsed.venue,
        symbol=parsed.symbol,
        venue_symbol=f"{parsed.base}{parsed.quote}",
        base=make_asset(parsed.base),
        quote=make_asset(parsed.quote),
        price_digits=price_digits,
        amount_digits=amount_digits,
        active=active,
        first_seen_at=moment,
        last_seen_at=moment,
        volume_usd=None if volume_usd is None else Decimal(volume_usd),
    )


def make_listing(name: str = "binance:BTC/USDT", *, active: bool = True, price_digits: int = 2) -> Listing:
    """Make a pair as its venue lists it."""
    parsed = InstrumentName.parse(name)
    return Listing(parsed, f"{parsed.base}{parsed.quote}", price_digits=price_digits, amount_digits=5, active=active)


def make_figures(name: str = "binance:BTC/USDT", *, price: str = "100", volume: str | None = "1000") -> DayFigures:
    """Make what a venue says of a pair's last day."""
    worth = None if volume is None else Decimal(volume)
    return DayFigures(InstrumentName.parse(name), Decimal(price), Decimal("0.01"), worth, 1_700_000_000_000)


def make_price(
    name: str = "binance:BTC/USDT", price: str = "100", *, now: datetime | None = None, change: str | None = None
) -> Price:
    """Put a newest price into the cache."""
    ts = int((now or clock.now()).timestamp() * 1000)
    made = Price(name, price, change, "1000", ts, InstrumentName.parse(name).venue)
    redis_client().hset(prices_key(current_world()), name, for_cache(made))
    return made


def make_watchlist(*, user: User, name: str = "Watched", position: int = 0) -> Watchlist:
    """Make a list of a person."""
    return Watchlist.objects.create(owner=user, name=name, position=position)


def make_item(
    watchlist: Watchlist,
    name: str = "binance:BTC/USDT",
    *,
    position: int = 0,
    note: str = "",
    item_id: UUID | None = None,
) -> WatchlistItem:
    """Put an instrument on a list."""
    return WatchlistItem.objects.create(
        id=item_id or uuid7(), watchlist=watchlist, instrument=name, position=position, note=note
    )
