"""Rows as venues sent them, kept packed, so that everything can be read again without asking the venue."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import uuid7
from apps.exchanges.models.connections import Connection


class RowState(models.TextChoices):
    """What became of a row in the ledger."""

    WAITING = "waiting", _("Waiting")
    POSTED = "posted", _("Posted")
    NOTHING = "nothing", _("Needs no entry")
    PROBLEM = "problem", _("Has a problem")


class StoredRow(models.Model):
    """One row of a stream: its id at the venue, its payload as it came, and what became of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="rows", verbose_name=_("connection")
    )
    stream = models.CharField(_("stream"), max_length=40)
    symbol = models.CharField(_("symbol"), max_length=80, blank=True)
    external_id = models.CharField(_("id at the exchange"), max_length=200)
    at = models.DateTimeField(_("at"))
    payload = models.BinaryField(_("payload"))
    payload_hash = models.BinaryField(_("hash of the payload"), max_length=32)
    state = models.CharField(_("state"), max_length=8, choices=RowState.choices, default=RowState.WAITING)
    problem_code = models.CharField(_("problem"), max_length=64, blank=True)
    problem_detail = models.CharField(_("what the problem is"), max_length=500, blank=True)

    objects = models.Manager()

    class Meta:
        verbose_name = _("row of an exchange")
        verbose_name_plural = _("rows of exchanges")
        ordering = ["connection", "at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "stream", "symbol", "external_id"], name="stored_row_once"),
            models.CheckConstraint(condition=Q(state__in=RowState.values), name="stored_row_state_is_known"),
            models.CheckConstraint(condition=~Q(external_id=""), name="stored_row_has_an_id"),
        ]
        indexes = [
            models.Index(
                fields=["connection", "at"],
                name="stored_row_open",
                condition=Q(state__in=(RowState.WAITING, RowState.PROBLEM)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.external_id}"
