"""Addresses of the market pages, and of the markets in the API."""

from django.urls import URLPattern, path

from apps.markets import views
from apps.markets.api import assets, candles, instruments, tickers, watchlists

app_name = "markets"

api_urlpatterns: list[URLPattern] = [
    path("assets", assets.AssetsView.as_view(), name="assets"),
    path("assets/<str:symbol>", assets.AssetView.as_view(), name="asset"),
    path("candles", candles.CandlesView.as_view(), name="candles"),
    path("candles/quarantine", candles.QuarantineView.as_view(), name="quarantine"),
    path("candles/quarantine/<uuid:candle_id>/release", candles.ReleaseCandleView.as_view(), name="release-candle"),
    path("candles/quarantine/<uuid:candle_id>/discard", candles.DiscardCandleView.as_view(), name="discard-candle"),
    path("assets/<str:symbol>/codes", assets.AssetCodesView.as_view(), name="asset-codes"),
    path("assets/<str:symbol>/merge", assets.AssetMergeView.as_view(), name="asset-merge"),
    path("instruments", instruments.InstrumentsView.as_view(), name="instruments"),
    path("instruments/<str:name>", instruments.InstrumentView.as_view(), name="instrument"),
    path("instruments/<str:name>/quality", candles.CandleQualityView.as_view(), name="instrument-quality"),
    path("rates", assets.RatesView.as_view(), name="rates"),
    path("tickers", tickers.TickersView.as_view(), name="tickers"),
    path("watchlists", watchlists.WatchlistsView.as_view(), name="watchlists"),
    path("watchlists/order", watchlists.WatchlistsOrderView.as_view(), name="watchlists-order"),
    path("watchlists/<uuid:watchlist_id>", watchlists.WatchlistView.as_view(), name="watchlist"),
    path("watchlists/<uuid:watchlist_id>/order", watchlists.WatchlistOrderView.as_view(), name="watchlist-order"),
    path("watchlists/<uuid:watchlist_id>/items", watchlists.WatchlistItemsView.as_view(), name="watchlist-items"),
    path(
        "watchlists/<uuid:watchlist_id>/items/<uuid:item_id>",
        watchlists.WatchlistItemView.as_view(),
        name="watchlist-item",
    ),
]

urlpatterns = [
    path("markets/", views.markets, name="markets"),
    path("markets/rows/", views.rows, name="rows"),
    path("markets/find/", views.find, name="find"),
    path("markets/<str:name>/", views.asset, name="asset"),
    path("markets/<str:name>/candles/<uuid:candle_id>/", views.settle, name="settle"),
    path("assets/<str:symbol>/", views.asset_by_symbol, name="asset_by_symbol"),
    path("watchlists/", views.watchlists, name="watchlists"),
    path("watchlists/new/", views.create, name="create_watchlist"),
    path("watchlists/undo/", views.undo, name="undo"),
    path("watchlists/menu/", views.watch_menu, name="watch_menu"),
    path("watchlists/watch/", views.watch, name="watch"),
    path("watchlists/<uuid:watchlist_id>/", views.watchlists, name="watchlist"),
    path("watchlists/<uuid:watchlist_id>/rename/", views.rename, name="rename_watchlist"),
    path("watchlists/<uuid:watchlist_id>/delete/", views.delete, name="delete_watchlist"),
    path("watchlists/<uuid:watchlist_id>/add/", views.add, name="add_to_watchlist"),
    path("watchlists/<uuid:watchlist_id>/order/", views.order, name="order_watchlist"),
    path("watchlists/<uuid:watchlist_id>/items/<uuid:item_id>/note/", views.note, name="note"),
    path("watchlists/<uuid:watchlist_id>/items/<uuid:item_id>/remove/", views.remove, name="remove"),
]
