"""Connections in Django's admin: to look at; what is sealed is never shown."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.exchanges.models import Connection, KeyUse, SealedSecret, StoredRow, StreamState, SyncRun, VenueAccount


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


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    """What each sync did."""

    list_display = ("connection", "state", "trigger", "progress", "fetched", "posted", "refused", "created_at")
    list_filter = ("state", "trigger", "problem_code")
    list_select_related = ("connection",)


@admin.register(StreamState)
class StreamStateAdmin(ReadOnlyAdmin):
    """How far each kind of rows is read."""

    list_display = ("connection", "stream", "symbol", "state", "covered_from", "covered_to", "rows", "problem_code")
    list_filter = ("state", "stream", "problem_code")
    list_select_related = ("connection",)


@admin.register(StoredRow)
class StoredRowAdmin(ReadOnlyAdmin):
    """What exchanges sent, row by row; what is in them stays packed."""

    list_display = ("connection", "stream", "symbol", "external_id", "at", "state", "problem_code")
    list_filter = ("state", "stream", "problem_code")
    search_fields = ("external_id",)
    exclude = ("payload", "payload_hash")
    list_select_related = ("connection",)
    show_full_result_count = False
