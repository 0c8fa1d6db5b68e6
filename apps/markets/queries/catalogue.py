"""What is traded where: assets by any of their names, instruments of this world."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.errors import NotFoundError
from apps.markets.domain.assets import RENAMES, Meaning, meaning_of
from apps.markets.domain.instruments import InstrumentName
from apps.markets.models import Asset, AssetCode, Instrument, InstrumentQuerySet


def instruments(
    *,
    venue: str = "",
    base: str = "",
    quote: str = "",
    active: bool | None = None,
    search: str = "",
    now: datetime,
) -> InstrumentQuerySet:
    """Return the instruments of this world that fit; base and quote may be any name of the asset."""
    found = Instrument.objects.here()
    if venue:
        found = found.filter(venue=venue)
    if base:
        found = found.filter(base=_asset_id(base, now=now))
    if quote:
        found = found.filter(quote=_asset_id(quote, now=now))
    if active is not None:
        found = found.filter(active=active)
    for word in search.split()[:4]:
        found = found.filter(
            Q(symbol__icontains=word)
            | Q(base__name__icontains=word)
            | Q(base__symbol__iexact=word)
            | Q(venue=word.lower())
        )
    return found


def instrument(*, name: InstrumentName) -> Instrument:
    """Return the instrument of that name in this world, or raise `NotFoundError`."""
    found = Instrument.objects.here().named(name).select_related("base", "quote").first()
    if found is None:
        raise NotFoundError
    return found


def known_instruments(*, names: Collection[InstrumentName]) -> set[InstrumentName]:
    """Return those of the names that this world knows, vanished ones too."""
    wanted = set(names)
    symbols, venues = {name.symbol for name in wanted}, {name.venue for name in wanted}
    rows = Instrument.objects.here().filter(symbol__in=symbols, venue__in=venues).values_list("venue", "symbol")
    return wanted & {InstrumentName.of(venue, symbol) for venue, symbol in rows}


def assets(*, search: str = "", kind: str = "") -> QuerySet[Asset]:
    """Return the assets that this world trades or has traded; merged ones are part of what they became."""
    here = Instrument.objects.here().filter(Q(base=OuterRef("pk")) | Q(quote=OuterRef("pk")))
    found = Asset.objects.filter(Exists(here), merged_into=None)
    if kind:
        found = found.filter(kind=kind)
    for word in search.split()[:4]:
        found = found.filter(Q(symbol__icontains=word) | Q(name__icontains=word))
    return found


def asset(*, symbol: str, now: datetime) -> Asset:
    """Return the asset that a symbol, an old name or a venue's code means now, or raise `NotFoundError`."""
    found = _asset_id(symbol, now=now) or _asset_id(symbol.upper(), now=now)
    if found is None:
        raise NotFoundError
    return Asset.objects.get(pk=found)


def names_of(*, asset: Asset) -> list[str]:
    """Return what else the asset is or was called."""
    codes = AssetCode.objects.filter(asset=asset).values_list("code", flat=True)
    renamed = [meaning.code for meaning in RENAMES if meaning.symbol == asset.symbol]
    return sorted({*codes, *renamed} - {asset.symbol})


def codes_of(*, asset: Asset) -> QuerySet[AssetCode]:
    """Return what venues and chains call the asset, with the times for which they do."""
    return AssetCode.objects.filter(asset=asset).order_by("place", "code", "from_at")


def symbols_at(*, codes: Collection[str], moment: datetime) -> dict[str, str]:
    """Return the symbol of the asset that each code meant then; one that nobody knows stands for itself."""
    rows = AssetCode.objects.filter(code__in=codes)
    told = [Meaning(*row) for row in rows.values_list("place", "code", "asset__symbol", "from_at", "until_at")]
    meanings = [*told, *(meaning for meaning in RENAMES if meaning.code in codes)]
    merged = dict(Asset.objects.filter(symbol__in=codes).values_list("symbol", "merged_into__symbol"))
    return {code: _called(code, meanings, merged, moment=moment) for code in codes}


def _called(code: str, meanings: list[Meaning], merged: Mapping[str, str | None], *, moment: datetime) -> str:
    """What is said everywhere counts first, then an asset of that very symbol, then what any one venue says."""
    everywhere = meaning_of(code, place="", at=moment, meanings=meanings, symbols=merged.keys())
    if everywhere != code or code in merged:
        return merged.get(everywhere) or everywhere
    at_a_place = sorted(one.symbol for one in meanings if one.code == code and one.place)
    return at_a_place[0] if at_a_place else code


def _asset_id(code: str, *, now: datetime) -> UUID | None:
    symbol = symbols_at(codes=[code], moment=now)[code]
    found = Asset.objects.filter(symbol=symbol).values_list("pk", "merged_into").first()
    return None if found is None else found[1] or found[0]
