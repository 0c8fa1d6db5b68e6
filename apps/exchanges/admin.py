"""Connections in Django's admin: to look at; what is sealed is never shown."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.exchanges.models import Connection, KeyUse, SealedSecret, VenueAccount


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    """Who is connected with what."""

    list_display = ("label", "owner", "exchange", "state", "problem_code", "certified", "is_simulated", "next_run_at")
    list_filter = ("exchange", "state", "certified", "is_simulated")
    search_fields = ("label", "owner__email")
    list_select_related = ("owner",)
    exclude = ("key_fingerprint",)


@admin.register(SealedSecret)
class SealedSecretAdmin(ReadOnlyAdmin):
    """That there are secrets, and which master key they need."""

    list_display = ("connection", "field", "key_version", "changed_at")
    list_filter = ("key_version",)
    fields = list_display
    list_select_related = ("connection",)


@admin.register(KeyUse)
class KeyUseAdmin(ReadOnlyAdmin):
    """What keys were opened for."""

    list_display = ("at", "connection", "purpose", "key_hint", "request_id")
    list_filter = ("purpose",)
    list_select_related = ("connection",)


@admin.register(VenueAccount)
class VenueAccountAdmin(ReadOnlyAdmin):
    """Which accounts of ledgers stand for which accounts at exchanges."""

    list_display = ("account", "exchange", "name", "is_simulated")
    list_filter = ("exchange",)
    list_select_related = ("account",)
