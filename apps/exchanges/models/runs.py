"""Syncs as rows: one reading of a connection, what it fetched and posted, and what was wrong with which row."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import LeasedWork
from apps.core.models.work import OPEN_STATES
from apps.exchanges.models.connections import Connection
from apps.portfolios.models import Batch


class SyncTrigger(models.TextChoices):
    """Who wanted a sync."""

    CONNECTED = "connected", _("After connecting")
    PERSON = "person", _("By hand")
    SCHEDULE = "schedule", _("By itself")
    REREAD = "reread", _("Read again from the beginning")


#: What somebody waits for is taken up before what comes by itself.
AWAITED = (SyncTrigger.CONNECTED, SyncTrigger.PERSON, SyncTrigger.REREAD)


class SyncRun(LeasedWork):
    """One sync of one connection. It works in turns, so that a long first reading lets the others have theirs."""

    kind: ClassVar[str] = "sync"
    queue: ClassVar[str] = "sync"
    retry_limit: ClassVar[int] = 5
    retry_base_seconds: ClassVar[float] = 10.0

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="runs", verbose_name=_("connection")
    )
    trigger = models.CharField(_("trigger"), max_length=9, choices=SyncTrigger.choices, default=SyncTrigger.SCHEDULE)
    #: The entries of one run are one batch of the ledger, which can be undone as a whole.
    batch = models.ForeignKey(
        Batch,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="sync_runs",
        verbose_name=_("batch"),
    )
    fetched = models.PositiveIntegerField(_("rows fetched"), default=0)
    fresh = models.PositiveIntegerField(_("rows that were new"), default=0)
    posted = models.PositiveIntegerField(_("entries posted"), default=0)
    duplicates = models.PositiveIntegerField(_("entries known already"), default=0)
    refused = models.PositiveIntegerField(_("rows with a problem"), default=0)
    requests = models.PositiveIntegerField(_("requests made"), default=0)
    busy_ms = models.PositiveBigIntegerField(_("time at work"), default=0)
    #: Problems by their code: {"code", "detail"} each, and where it is known "stream", "symbol", "external_id".
    problems: models.JSONField[Any, Any] = models.JSONField(_("problems"), default=list)
    #: The venue named no balance at all, although there were some: believed when it says so twice.
    saw_nothing = models.BooleanField(_("no balance was named"), default=False)

    class Meta(LeasedWork.Meta):
        abstract = False
        verbose_name = _("sync")
        verbose_name_plural = _("syncs")
        constraints = [
            *LeasedWork.Meta.constraints,
            models.CheckConstraint(condition=Q(trigger__in=SyncTrigger.values), name="sync_run_trigger_is_known"),
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state__in=OPEN_STATES), name="sync_run_one_at_once"
            ),
        ]
        indexes = [
            *LeasedWork.Meta.indexes,
            models.Index(fields=["connection", "-id"], name="sync_run_newest"),
        ]

    @property
    def title(self) -> str:
        """What is synced, in words."""
        return str(_("Sync of %(name)s") % {"name": self.connection.label})
