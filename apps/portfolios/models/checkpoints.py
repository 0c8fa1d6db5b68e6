"""From where booking goes on: states at rest after so many entries, their lots, and since when the ledger changed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import uuid7
from apps.portfolios.models.booked import BookedResult
from apps.portfolios.models.portfolios import Portfolio, of_portfolio


def _of_result(related_name: str) -> models.ForeignKey[BookedResult, BookedResult]:
    return models.ForeignKey(
        BookedResult,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name=related_name,
        verbose_name=_("result"),
    )


class LedgerChange(models.Model):
    """The earliest moment that a version of a ledger changed; a version without one may have changed all."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio: models.ForeignKey[Portfolio, Portfolio] = of_portfolio("changes")
    version = models.PositiveBigIntegerField(_("version of the ledger"))
    since = models.DateTimeField(_("changed since"))

    objects = models.Manager()

    class Meta:
        verbose_name = _("change of a ledger")
        verbose_name_plural = _("changes of ledgers")
        ordering = ["portfolio", "version"]
        constraints = [models.UniqueConstraint(fields=["portfolio", "version"], name="ledger_change_once")]

    def __str__(self) -> str:
        return f"{self.version} {self.since:%Y-%m-%d %H:%M}"


class Checkpoint(models.Model):
    """A state of booking after so many entries, sealed; `chain` is the hash of all that went in until then."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    result = _of_result("checkpoints")
    position = models.PositiveIntegerField(_("entries before it"))
    until = models.DateTimeField(_("time of the last entry before it"))
    chain = models.CharField(_("hash of the input"), max_length=64)
    body = models.BinaryField(_("body"))

    objects = models.Manager()

    class Meta:
        verbose_name = _("checkpoint of booking")
        verbose_name_plural = _("checkpoints of booking")
        ordering = ["result", "position"]
        constraints = [models.UniqueConstraint(fields=["result", "position"], name="checkpoint_once")]

    def __str__(self) -> str:
        return str(self.position)


class BookedLots(models.Model):
    """The open lots of one basis after so many entries, sealed; they stand until a later row of the same basis."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    result = _of_result("lots")
    asset = models.TextField(_("asset"))
    account = models.TextField(_("account"), blank=True)
    position = models.PositiveIntegerField(_("entries before it"))
    body = models.BinaryField(_("body"))

    objects = models.Manager()

    class Meta:
        verbose_name = _("booked lots")
        verbose_name_plural = _("booked lots")
        ordering = ["result", "asset", "account", "position"]
        constraints = [
            models.UniqueConstraint(fields=["result", "asset", "account", "position"], name="booked_lots_once"),
        ]

    def __str__(self) -> str:
        return f"{self.asset} {self.position}"
