"""The past as it was lived through: the days of a ledger in blocks, with what tells whether they still hold."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import uuid7
from apps.portfolios.models.portfolios import Portfolio, of_portfolio


class HistoryCourse(models.Model):
    """What a portfolio's kept days were made from; `revision` rises with every change of them.

    `ledger` and `markets` are stamps of the state of the ledger and of the prices at which the days were last checked;
    `ways` are the markets that each asset was priced by, so that the past does not wander between them.
    """

    portfolio = models.OneToOneField(
        Portfolio,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="course",
        verbose_name=_("portfolio"),
    )
    revision = models.PositiveBigIntegerField(_("revision"), default=0)
    base = models.CharField(_("money, world and names"), max_length=64)
    ledger = models.CharField(_("state of the ledger"), max_length=64)
    markets = models.CharField(_("state of the prices"), max_length=64)
    last_day = models.IntegerField(_("last day, counted from 1970-01-01"))
    assets = models.JSONField(_("assets of the ledger"), default=list)
    ways = models.JSONField(_("markets by asset"), default=dict)
    made_at = models.DateTimeField(_("made"))

    objects = models.Manager()

    class Meta:
        verbose_name = _("course of a portfolio")
        verbose_name_plural = _("courses of portfolios")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.portfolio_id} {self.revision}"


class HistoryBlock(models.Model):
    """The days of one stretch as compressed JSON, and where the ledger stands at its end, to live on from there."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("history_blocks")
    first_day = models.IntegerField(_("first day, counted from 1970-01-01"))
    last_day = models.IntegerField(_("last day"))
    days = models.BinaryField(_("days"))
    standing = models.BinaryField(_("standing at the end"))

    objects = models.Manager()

    class Meta:
        verbose_name = _("block of days")
        verbose_name_plural = _("blocks of days")
        ordering = ["portfolio", "first_day"]
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "first_day"], name="history_block_once"),
            models.CheckConstraint(condition=Q(first_day__lte=F("last_day")), name="history_block_has_days"),
        ]

    def __str__(self) -> str:
        return f"{self.portfolio_id} {self.first_day}"
