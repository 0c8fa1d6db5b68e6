"""Addresses of the exchanges: pages, and resources of the API."""

from django.urls import URLPattern, path

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

urlpatterns: list[URLPattern] = []
