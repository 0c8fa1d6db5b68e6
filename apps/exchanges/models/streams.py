"""How far each stream of a connection is read, and where an unfinished reading goes on."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import uuid7
from apps.exchanges.models.connections import Connection


class StreamProgress(models.TextChoices):
    """How much of a stream stands in our tables."""

    RUNNING = "running", _("being read")
    COMPLETE = "complete", _("complete")
    PARTIAL = "partial", _("with a gap")


class StreamState(models.Model):
    """One stream of a connection. The cursor moves only in the transaction that stores its page."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="streams", verbose_name=_("connection")
    )
    stream = models.CharField(_("stream"), max_length=40)
    symbol = models.CharField(_("symbol"), max_length=80, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=StreamProgress.choices, default=StreamProgress.RUNNING)
    #: The open pass: where it goes on, and its bounds; all empty when none is open.
    cursor: models.JSONField[Any, Any] = models.JSONField(_("cursor"), null=True, blank=True)
    pass_since = models.DateTimeField(_("pass from"), null=True, blank=True)
    pass_until = models.DateTimeField(_("pass to"), null=True, blank=True)
    covered_from = models.DateTimeField(_("covered from"), null=True, blank=True)
    covered_to = models.DateTimeField(_("covered to"), null=True, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    #: The run that has read it last, and when its last pass ended.
    read_in = models.UUIDField(_("read in"), null=True, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    problem_code = models.CharField(_("problem"), max_length=64, blank=True)
    problem_detail = models.CharField(_("what the problem is"), max_length=500, blank=True)

    objects = models.Manager()

    class Meta:
        verbose_name = _("stream")
        verbose_name_plural = _("streams")
        ordering = ["connection", "stream", "symbol"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "stream", "symbol"], name="stream_state_once"),
            models.CheckConstraint(condition=Q(state__in=StreamProgress.values), name="stream_state_is_known"),
            models.CheckConstraint(
                condition=Q(pass_since__isnull=True, pass_until__isnull=True, cursor__isnull=True)
                | Q(pass_since__isnull=False, pass_until__isnull=False, pass_since__lte=F("pass_until")),
                name="stream_state_pass_has_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.symbol}".strip()
