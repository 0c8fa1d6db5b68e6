"""The catalog of what is traded where: read from each venue, kept when it vanishes, never wiped by one bad answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q
from prometheus_client import Counter

from apps.core.errors import ProductError
from apps.core.locks import LockTakenError, lock
from apps.core.money import multiply, parse_amount
from apps.markets.actions.history import listed_again
from apps.markets.domain.assets import RENAMES, Meaning, facts_of, meaning_of
from apps.markets.domain.conversion import Edge, Quoted, Quotes, useful_edges
from apps.markets.domain.instruments import VENUES, DayFigures, Listing
from apps.markets.gateways.venue_rest import fetch_day_figures, fetch_listings
from apps.markets.models import Asset, AssetCode, Instrument
from apps.markets.models.catalogue import world_is_simulated

log = structlog.get_logger(__name__)

REFRESH_EVERY: Final = timedelta(hours=1)
#: A list that has lost more than half of its pairs is believed when a second one, so much later, says the same.
SMALLEST_SHARE: Final = 0.5
CONFIRMED_AFTER: Final = timedelta(minutes=5)
FEED_OFF: Final = "off"

#: Keeps two readings from doing the same work. Storing is safe without it, so a dead reader may not block for long.
_LOCK_SECONDS: Final = 15.0
_STORING_LOCK: Final = 5_115_010
_ROWS_AT_ONCE: Final = 500
_LISTED: Final = ("venue_symbol", "price_digits", "amount_digits", "active")

refreshes = Counter("coinsphere_market_refreshes_total", "Readings of a venue's list of pairs.", ["venue", "outcome"])


@dataclass(frozen=True, slots=True)
class MarketsRefresh:
    """What one reading of a venue's list has changed; `doubted` are missing and kept until it is said again."""

    venue: str
    listed: int = 0
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    doubted: int = 0


@dataclass(slots=True)
class _Changes:
    """What a list says, held against what we know."""

    fresh: list[Listing] = field(default_factory=list)
    changed: list[Instrument] = field(default_factory=list)
    missing: list[Instrument] = field(default_factory=list)


# --- Reading a venue --------------------------------------------------------------------------------------------------
def refresh_markets(*, venue: str, now: datetime) -> MarketsRefresh:
    """Read the venue's list of pairs and store what is new, changed and gone; what is gone stays known."""
    with lock(f"markets:refresh:{venue}", seconds=_LOCK_SECONDS):
        listings = fetch_listings(venue=venue, now=now)
        with transaction.atomic():
            _hold_storing()
            done = _store(venue, listings, now=now)
    refreshes.labels(venue, "read").inc()
    log.info(
        "Markets were read",
        venue=venue,
        listed=done.listed,
        added=len(done.added),
        changed=len(done.changed),
        vanished=list(done.vanished[:20]),
        doubted=done.doubted,
    )
    return done


def refresh_due_markets(*, now: datetime) -> tuple[MarketsRefresh, ...]:
    """Read every venue whose list is more than an hour old, and once an hour how much each pair trades."""
    if settings.FEED == FEED_OFF:
        return ()
    done = tuple(one for venue in _due_venues(now=now) if (one := _refresh_or_count(venue, now=now)) is not None)
    for venue in Instrument.objects.here().active().values_list("venue", flat=True).distinct().order_by("venue"):
        _rank_if_due(venue, now=now)
    return done


def _due_venues(*, now: datetime) -> list[str]:
    rows = Instrument.objects.here().values_list("venue").annotate(read_at=Max("last_seen_at"))
    read_at = dict(rows.values_list("venue", "read_at"))
    return [venue for venue in VENUES if venue not in read_at or read_at[venue] <= now - REFRESH_EVERY]


def _refresh_or_count(venue: str, *, now: datetime) -> MarketsRefresh | None:
    """Read one venue; one that fails is counted and does not keep the others from being read."""
    try:
        return refresh_markets(venue=venue, now=now)
    except LockTakenError:
        return None
    except ProductError as problem:
        _count(venue, problem)
        return None


def _rank_if_due(venue: str, *, now: datetime) -> None:
    """Rank one venue unless somebody did within the hour; the feed may have read its list before us."""
    key = f"markets:ranked:{world_is_simulated()}:{venue}"
    if cache.get(key):
        return
    try:
        rank_markets(venue=venue, now=now)
    except ProductError as problem:
        _count(venue, problem)
    else:
        cache.set(key, 1, timeout=REFRESH_EVERY.total_seconds())


def _count(venue: str, problem: ProductError) -> None:
    refreshes.labels(venue, problem.code).inc()
    log.warning("Markets could not be read", venue=venue, code=problem.code, detail=problem.detail)


# --- Storing ----------------------------------------------------------------------------------------------------------
def _hold_storing() -> None:
    """Wait for others who store a list, and keep them waiting until this transaction is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_STORING_LOCK])


def _store(venue: str, listings: Sequence[Listing], *, now: datetime) -> MarketsRefresh:
    known = {row.symbol: row for row in Instrument.objects.here().filter(venue=venue)}
    listed = {listing.name.symbol: listing for listing in listings}
    idle = {row.pk for row in known.values() if not row.active}
    changes = _Changes()
    for symbol, listing in listed.items():
        row = known.get(symbol)
        if row is None:
            changes.fresh.append(listing)
        elif _take_over(row, listing):
            changes.changed.append(row)
    listed_again(instruments=[row.pk for row in changes.changed if row.active and row.pk in idle], now=now)
    present = [row for row in known.values() if row.vanished_at is None]
    changes.missing = [row for row in present if row.symbol not in listed]
    vanished = _vanished(changes.missing, is_believable=len(listed) >= SMALLEST_SHARE * len(present), now=now)
    _write(venue, changes, now=now)
    Instrument.objects.here().filter(venue=venue, symbol__in=listed).update(last_seen_at=now)
    _note_what_is_traded()
    return MarketsRefresh(
        venue=venue,
        listed=len(listed),
        added=tuple(str(listing.name) for listing in changes.fresh),
        changed=tuple(str(row) for row in changes.changed),
        vanished=tuple(str(row) for row in vanished),
        doubted=len(changes.missing) - len(vanished),
    )


def _take_over(row: Instrument, listing: Listing) -> bool:
    """Set what the list says on a known pair; tell whether that changes anything."""
    before = (*(getattr(row, name) for name in _LISTED), row.missing_since, row.vanished_at)
    for name in _LISTED:
        setattr(row, name, getattr(listing, name))
    row.missing_since = row.vanished_at = None
    return before != (*(getattr(row, name) for name in _LISTED), None, None)


def _vanished(missing: Iterable[Instrument], *, is_believable: bool, now: datetime) -> list[Instrument]:
    """Mark what is missing; it has vanished if the list can be believed, or has said so before."""
    gone = []
    for row in missing:
        confirmed = row.missing_since is not None and row.missing_since <= now - CONFIRMED_AFTER
        row.missing_since = row.missing_since or now
        if is_believable or confirmed:
            row.vanished_at, row.active = now, False
            gone.append(row)
    return gone


def _write(venue: str, changes: _Changes, *, now: datetime) -> None:
    touched = [*changes.changed, *changes.missing]
    _overwrite(touched, [*_LISTED, "missing_since", "vanished_at"])
    if not changes.fresh:
        return
    assets = _assets_of(venue, {code for one in changes.fresh for code in (one.name.base, one.name.quote)}, now=now)
    rows = [_instrument(listing, assets, now=now) for listing in changes.fresh]
    Instrument.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)


def _overwrite(rows: Sequence[Instrument], columns: Sequence[str]) -> None:
    """Store columns of known rows: several times faster than a bulk update, which compares every row with every id."""
    Instrument.objects.bulk_create(
        rows, batch_size=_ROWS_AT_ONCE, update_conflicts=True, unique_fields=["id"], update_fields=columns
    )


def _note_what_is_traded() -> None:
    """Mark each asset as traded or not: what no venue lists any more stays, and says so."""
    traded = Exists(Instrument.objects.active().filter(Q(base=OuterRef("pk")) | Q(quote=OuterRef("pk"))))
    Asset.objects.filter(~traded, is_active=True).update(is_active=False)
    Asset.objects.filter(traded, is_active=False, merged_into=None).update(is_active=True)


def _instrument(listing: Listing, assets: dict[str, Asset], *, now: datetime) -> Instrument:
    return Instrument(
        simulated=world_is_simulated(),
        venue=listing.name.venue,
        symbol=listing.name.symbol,
        venue_symbol=listing.venue_symbol,
        base=assets[listing.name.base],
        quote=assets[listing.name.quote],
        price_digits=listing.price_digits,
        amount_digits=listing.amount_digits,
        active=listing.active,
        first_seen_at=now,
        last_seen_at=now,
    )


# --- Identity ---------------------------------------------------------------------------------------------------------
def _assets_of(venue: str, codes: set[str], *, now: datetime) -> dict[str, Asset]:
    """Return the asset that each of the venue's codes means now; unknown ones are made, and the meaning is kept."""
    held = AssetCode.objects.filter(code__in=codes).select_related("asset")
    told = [Meaning(row.place, row.code, row.asset.symbol, row.from_at, row.until_at) for row in held]
    meanings: dict[str, list[Meaning]] = {}
    for meaning in (*told, *RENAMES):
        meanings.setdefault(meaning.code, []).append(meaning)
    meant = {code: meaning_of(code, place=venue, at=now, meanings=meanings.get(code, ())) for code in codes}
    symbols = set(meant.values())
    Asset.objects.bulk_create([_asset(symbol) for symbol in sorted(symbols)], ignore_conflicts=True)
    assets = {row.symbol: row for row in Asset.objects.filter(symbol__in=symbols).select_related("merged_into")}
    found = {code: assets[symbol].merged_into or assets[symbol] for code, symbol in meant.items()}
    known = {row.code for row in held if row.place == venue}
    fresh = [AssetCode(asset=found[code], place=venue, code=code) for code in sorted(codes - known)]
    AssetCode.objects.bulk_create(fresh, ignore_conflicts=True)
    return found


def _asset(symbol: str) -> Asset:
    facts = facts_of(symbol)
    return Asset(symbol=symbol, name=facts.name, kind=facts.kind, peg=facts.peg, digits=facts.digits)


# --- Size -------------------------------------------------------------------------------------------------------------
def rank_markets(*, venue: str, now: datetime) -> int:
    """Store how much each of the venue's pairs traded in 24 hours, in its quote and in USD; return how many."""
    figures = {one.name.symbol: one for one in fetch_day_figures(venue=venue, now=now)}
    rows = list(Instrument.objects.here().filter(venue=venue, symbol__in=figures).select_related("base", "quote"))
    worth = _in_usd(rows, figures)
    for row in rows:
        volume = figures[row.symbol].volume
        row.volume_24h = volume
        usd = worth.get(row.quote.symbol)
        row.volume_usd = None if volume is None or usd is None else _storable(multiply(volume, usd))
    _overwrite(rows, ["volume_24h", "volume_usd"])
    return len(rows)


def _in_usd(rows: Sequence[Instrument], figures: dict[str, DayFigures]) -> dict[str, Decimal]:
    """Return what one of each quote is worth in USD by the venue's own prices; a venue without USD counts USDT so."""
    quoted = [
        Quoted(Edge(row.name, row.base.symbol, row.quote.symbol, Decimal(0)), one.price, one.ts, row.venue)
        for row in rows
        for one in (figures[row.symbol],)
    ]
    assets = {row.quote.symbol for row in rows}
    target = "USD" if any("USD" in (one.edge.base, one.edge.quote) for one in quoted) else "USDT"
    edges = {one.edge for one in quoted}
    useful = set(useful_edges(edges, sources=assets, target=target))
    kept = [one for one in quoted if one.edge in useful]
    quotes = Quotes(kept, now_ms=0)
    routes = {asset: quotes.route(asset, target) for asset in assets}
    return {asset: route.value for asset, route in routes.items() if route is not None}


def _storable(number: Decimal) -> Decimal:
    return parse_amount(number.quantize(Decimal("0.01"))) if number > 1 else number
