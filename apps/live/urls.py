"""Addresses of the live app: REST only, the socket stands in `config.asgi`."""

from django.urls import URLPattern, URLResolver, path

from apps.live import api

app_name = "live"
urlpatterns: list[URLPattern | URLResolver] = []
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("live/ticket", api.TicketView.as_view(), name="ticket"),
]
