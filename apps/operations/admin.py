"""The console's tables in Django's admin; they are looked at there, not edited."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin, WorkAdmin
from apps.operations.models import ProcessBeat, SelfCheck


@admin.register(ProcessBeat)
class ProcessBeatAdmin(ReadOnlyAdmin):
    """Who was heard when."""

    list_display = ("name", "host", "pid", "version", "started_at", "last_seen_at")
    list_filter = ("name", "version")
    search_fields = ("name", "host")


@admin.register(SelfCheck)
class SelfCheckAdmin(WorkAdmin):
    """Self-checks, done and under way."""

    list_display = ("id", "state", "progress", "progress_note", "created_at", "finished_at")
