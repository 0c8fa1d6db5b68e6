"""Who is who among assets, decided by a person: two become one, a code means another."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from apps.accounts.actions import record_audit
from apps.accounts.domain.origin import NO_REQUEST, RequestMeta
from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.markets.domain.assets import Meaning
from apps.markets.models import Asset, AssetCode, Instrument

if TYPE_CHECKING:
    from apps.accounts.models import User


class MergeError(ConflictError):
    """The two assets cannot become one."""

    code = "assets_cannot_merge"
    default_detail = "An asset can be merged into another one that is not itself merged into it."


def merge_assets(
    *, actor: User | None, source: str, target: str, now: datetime, request_meta: RequestMeta = NO_REQUEST
) -> Asset:
    """Make one asset part of another: its codes and instruments mean the other from now on."""
    with transaction.atomic():
        rows = {row.symbol: row for row in Asset.objects.select_for_update().filter(symbol__in={source, target})}
        if source not in rows:
            raise NotFoundError
        if target not in rows or source == target or rows[target].merged_into_id is not None:
            raise MergeError
        old, new = rows[source], rows[target]
        Asset.objects.filter(merged_into=old).update(merged_into=new)
        old.merged_into, old.is_active = new, False
        old.save(update_fields=["merged_into", "is_active"])
        AssetCode.objects.filter(asset=old).update(asset=new)
        AssetCode.objects.get_or_create(place="", code=source, from_at=None, defaults={"asset": new})
        Instrument.objects.filter(base=old).update(base=new)
        Instrument.objects.filter(quote=old).update(quote=new)
        detail = {"source": source, "target": target}
        record_audit(
            actor=actor, action="asset.merged", target=source, now=now, detail=detail, request_meta=request_meta
        )
    return new


def name_code(
    *, actor: User | None, symbol: str, meaning: Meaning, now: datetime, request_meta: RequestMeta = NO_REQUEST
) -> AssetCode:
    """Say what a venue's ticker or a chain's contract means, from a time until another; the last word counts."""
    if meaning.from_at and meaning.until_at and meaning.from_at >= meaning.until_at:
        raise InvalidError(problems=[FieldProblem("until", "range_reversed", "Must be after from.")])
    with transaction.atomic():
        asset = Asset.objects.filter(symbol=symbol, merged_into=None).first()
        if asset is None:
            raise NotFoundError
        row, _made = AssetCode.objects.update_or_create(
            place=meaning.place,
            code=meaning.code,
            from_at=meaning.from_at,
            defaults={"asset": asset, "until_at": meaning.until_at},
        )
        if meaning.holds_at(now):
            _point(meaning.place, meaning.code, asset)
        detail = {"place": meaning.place, "code": meaning.code}
        record_audit(
            actor=actor, action="asset.named", target=symbol, now=now, detail=detail, request_meta=request_meta
        )
    return row


def _point(place: str, code: str, asset: Asset) -> None:
    """Let the venue's pairs of that code stand for the asset; a chain has none."""
    at_place = Instrument.objects.filter(venue=place)
    at_place.filter(symbol__startswith=f"{code}/").update(base=asset)
    at_place.filter(symbol__endswith=f"/{code}").update(quote=asset)
