"""The markets' tables in Django's admin; they are looked at there, what changes them is an action."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.markets.models import Asset, AssetCode, Instrument, Watchlist, WatchlistItem


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
