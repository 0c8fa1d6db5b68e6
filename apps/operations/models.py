"""What the console remembers: the last sign of life of every process, and the self-checks."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import uuid7
from apps.core.models import LeasedWork

ALIVE_FOR = timedelta(seconds=30)
KEPT = timedelta(days=1)


class ProcessBeatQuerySet(models.QuerySet["ProcessBeat"]):
    """The words in which signs of life are asked for."""

    def alive(self, *, now: datetime) -> "ProcessBeatQuerySet":
        """Keep the processes that were heard lately."""
        return self.filter(last_seen_at__gt=now - ALIVE_FOR)

    def started_since(self, moment: datetime) -> "ProcessBeatQuerySet":
        """Keep what belongs to this start of the product."""
        return self.filter(started_at__gte=moment)


class ProcessBeat(models.Model):
    """One process on one machine; the row is overwritten by each beat and by the process's successor."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("process"), max_length=40)
    host = models.CharField(_("machine"), max_length=255)
    pid = models.PositiveIntegerField(_("process id"))
    version = models.CharField(_("version"), max_length=40)
    detail = models.JSONField(_("detail"), default=dict)
    started_at = models.DateTimeField(_("started"))
    last_seen_at = models.DateTimeField(_("last heard"))

    objects = ProcessBeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")
        ordering = ["name", "host"]
        constraints = [models.UniqueConstraint(fields=["name", "host"], name="process_beat_once")]

    def __str__(self) -> str:
        return f"{self.name}@{self.host}"


class SelfCheck(LeasedWork):
    """One run of the self-check, with what it found so far."""

    kind: ClassVar[str] = "self_check"

    findings = models.JSONField(_("findings"), default=list)

    class Meta(LeasedWork.Meta):
        abstract = False
        verbose_name = _("self-check")
        verbose_name_plural = _("self-checks")
