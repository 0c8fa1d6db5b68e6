"""Addresses of the exchanges: pages, and resources of the API."""

from django.urls import URLPattern, path

from apps.exchanges import views
from apps.exchanges.api import connections, runs

app_name = "exchanges"

_ONE = "exchanges/connections/<uuid:connection_id>"

api_urlpatterns: list[URLPattern] = [
    path("exchanges/supported", connections.SupportedView.as_view(), name="supported"),
    path("exchanges/test", connections.TestView.as_view(), name="test"),
    path("exchanges/connect", connections.ConnectView.as_view(), name="connect"),
    path("exchanges/forget-keys", connections.ForgetKeysView.as_view(), name="forget-keys"),
    path("exchanges/sync-all", runs.SyncAllView.as_view(), name="sync-all"),
    path("exchanges/connections", connections.ConnectionsView.as_view(), name="connections"),
    path(_ONE, connections.ConnectionView.as_view(), name="connection"),
    path(f"{_ONE}/sync", runs.SyncView.as_view(), name="sync"),
    path(f"{_ONE}/runs", runs.RunsView.as_view(), name="runs"),
]

urlpatterns: list[URLPattern] = [
    path("exchanges/", views.exchanges, name="exchanges"),
    path("exchanges/sync/", views.sync_all, name="sync_all"),
    path("exchanges/forget-keys/", views.forget_keys, name="forget_keys"),
    path("exchanges/connect/", views.choose, name="choose"),
    path("exchanges/connect/<slug:exchange>/", views.connect, name="connect"),
    path("exchanges/<uuid:connection_id>/", views.history, name="history"),
    path("exchanges/<uuid:connection_id>/card/", views.card, name="card"),
    path("exchanges/<uuid:connection_id>/sync/", views.sync, name="sync"),
    path("exchanges/<uuid:connection_id>/pause/", views.pause, name="pause"),
    path("exchanges/<uuid:connection_id>/resume/", views.resume, name="resume"),
    path("exchanges/<uuid:connection_id>/name/", views.rename, name="rename"),
    path("exchanges/<uuid:connection_id>/key/", views.new_key, name="new_key"),
    path("exchanges/<uuid:connection_id>/disconnect/", views.disconnect, name="disconnect"),
]
