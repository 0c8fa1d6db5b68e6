"""The markets' tables in Django's admin; they are looked at there, what changes them is an action."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.actions.callers import request_meta
from apps.core import clock
from apps.core.admin import ReadOnlyAdmin, WorkAdmin
from apps.core.errors import ProductError
from apps.markets.actions import discard_candle, release_candle
from apps.markets.models import (
    Asset,
    AssetCode,
    Backfill,
    CandleBlock,
    CandleGap,
    CandleSeries,
    CandleTail,
    Instrument,
    MarketSummary,
    QuarantinedCandle,
    Watchlist,
    WatchlistItem,
)


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    """Coins and currencies."""

    list_display = ("symbol", "name", "kind", "peg", "digits", "merged_into", "is_active")
    list_select_related = ("merged_into",)
    list_filter = ("kind", "is_active")
    search_fields = ("symbol", "name")


@admin.register(AssetCode)
class AssetCodeAdmin(ReadOnlyAdmin):
    """What venues and chains call them."""

    list_display = ("place", "code", "asset", "from_at", "until_at")
    list_select_related = ("asset",)
    list_filter = ("place",)
    search_fields = ("code", "asset__symbol")


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    """Pairs on venues; what vanished stays."""

    list_display = (
        "venue",
        "symbol",
        "active",
        "simulated",
        "volume_usd",
        "first_seen_at",
        "last_seen_at",
        "vanished_at",
    )
    list_filter = ("venue", "active", "simulated")
    search_fields = ("symbol", "base__name")


@admin.register(Watchlist)
class WatchlistAdmin(ReadOnlyAdmin):
    """Watchlists; what people note beside an instrument is theirs."""

    list_display = ("owner", "name", "created_at")
    list_select_related = ("owner",)


@admin.register(WatchlistItem)
class WatchlistItemAdmin(ReadOnlyAdmin):
    """What is on watchlists."""

    list_display = ("watchlist", "instrument", "created_at")
    list_select_related = ("watchlist",)
    exclude = ("note",)


# --- Candles ----------------------------------------------------------------------------------------------------------
@admin.register(CandleSeries)
class CandleSeriesAdmin(ReadOnlyAdmin):
    """How much there is of each series."""

    list_display = ("instrument", "timeframe", "count", "first_ts", "last_ts", "revised_count", "revised_at")
    list_select_related = ("instrument",)
    list_filter = ("timeframe", "instrument__venue", "instrument__simulated")
    search_fields = ("instrument__symbol",)


@admin.register(CandleBlock)
class CandleBlockAdmin(ReadOnlyAdmin):
    """Packed candles; what is in them is read through the product."""

    list_display = ("series", "slot", "count", "source", "stored_at", "revised_at", "revised_count")
    list_select_related = ("series__instrument",)
    list_filter = ("source", "series__timeframe")
    search_fields = ("series__instrument__symbol",)
    exclude = ("data",)


@admin.register(CandleTail)
class CandleTailAdmin(ReadOnlyAdmin):
    """The newest candles, not packed yet."""

    list_display = ("series", "ts", "open", "high", "low", "close", "volume", "source")
    list_select_related = ("series__instrument",)
    list_filter = ("source",)
    show_full_result_count = False


@admin.register(CandleGap)
class CandleGapAdmin(ReadOnlyAdmin):
    """Where a venue had nothing, and when it is asked again."""

    list_display = ("series", "from_ms", "to_ms", "tries", "checked_at", "next_try_at")
    list_select_related = ("series__instrument",)


@admin.register(QuarantinedCandle)
class QuarantinedCandleAdmin(ReadOnlyAdmin):
    """What the gate kept out."""

    list_display = ("series", "ts", "code", "state", "source", "origin", "found_at", "settled_by")
    list_select_related = ("series__instrument", "settled_by")
    list_filter = ("state", "code", "source")
    search_fields = ("series__instrument__symbol", "origin")
    actions = ("release", "discard")

    @admin.action(description=_("Let through as it came"))
    def release(self, request: HttpRequest, rows: QuerySet[QuarantinedCandle]) -> None:
        """Store what a person holds to be real."""
        self._each(request, rows, release_candle)

    @admin.action(description=_("Throw away"))
    def discard(self, request: HttpRequest, rows: QuerySet[QuarantinedCandle]) -> None:
        """Close what a person holds to be wrong."""
        self._each(request, rows, discard_candle)

    def _each(self, request: HttpRequest, rows: QuerySet[QuarantinedCandle], act: Callable[..., object]) -> None:
        for row in rows:
            try:
                act(candle_id=row.pk, actor=request.user, now=clock.now(), request_meta=request_meta(request=request))
            except ProductError as problem:
                self.message_user(request, f"{row}: {problem.detail}", messages.WARNING)


@admin.register(Backfill)
class BackfillAdmin(WorkAdmin):
    """History in the making."""

    list_display = ("series", "state", "progress", "pages", "stored", "refused", "problem_code", "created_at")
    list_select_related = ("series__instrument",)


@admin.register(MarketSummary)
class MarketSummaryAdmin(ReadOnlyAdmin):
    """What lists of markets show."""

    list_display = ("instrument", "price_1h_ago", "price_24h_ago", "price_7d_ago", "at")
    list_select_related = ("instrument",)
