"""Admin pages that other apps build on: tables that are only read, and work that may be tried again or cancelled."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.core import clock, jobs
from apps.core.models import IdempotencyKey, LeasedWork


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """For tables that are added to by actions only and never edited."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


class WorkAdmin(ReadOnlyAdmin):
    """For tables of long work: what stands where, and what a person may do about it."""

    list_display: tuple[str, ...] = (
        "id",
        "owner",
        "state",
        "progress",
        "attempts",
        "problem_code",
        "created_at",
        "finished_at",
    )
    list_filter = ("state", "problem_code")
    actions = ("try_again", "cancel_work")

    @admin.action(description=_("Try again"))
    def try_again(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Queue what was parked, failed or cancelled once more."""
        self._each(request, rows, jobs.requeue)

    @admin.action(description=_("Cancel"))
    def cancel_work(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Cancel what is not over."""
        self._each(request, rows, jobs.cancel)

    def _each(self, request: HttpRequest, rows: QuerySet[Any], act: Any) -> None:  # noqa: ANN401 - an action of jobs
        for work in rows:
            self._one(request, work, act)

    def _one(self, request: HttpRequest, work: LeasedWork, act: Any) -> None:  # noqa: ANN401 - an action of jobs
        try:
            act(work=work, now=clock.now())
        except jobs.WorkIsOverError as problem:
            self.message_user(request, f"{work}: {problem.detail}", messages.WARNING)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Keys of repeated requests; what was answered is not shown, it may hold a secret."""

    list_display = ("path", "owner", "status", "is_sealed", "created_at", "claimed_until")
    list_filter = ("status", "is_sealed")
    search_fields = ("path",)
    fields = list_display
