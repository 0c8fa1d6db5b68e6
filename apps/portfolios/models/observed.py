"""What the sources saw and the ledger did not make: balances at venues, and stretches of which nothing is known."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now
from apps.core.ids import uuid7
from apps.core.models import AmountField, amount_checks
from apps.portfolios.models.portfolios import Account, of_portfolio
from apps.portfolios.models.transactions import LONGEST_ASSET


class ObservedBalance(models.Model):
    """How much of an asset a venue says an account holds; the newest word alone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("observed_balances")
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, related_name="observed", verbose_name=_("account")
    )
    asset = models.CharField(_("asset"), max_length=LONGEST_ASSET)
    amount: AmountField[Decimal, Decimal] = AmountField(_("amount"))
    at = models.DateTimeField(_("observed at"))

    objects = models.Manager()

    class Meta:
        verbose_name = _("observed balance")
        verbose_name_plural = _("observed balances")
        ordering = ["account", "asset"]
        constraints = [
            *amount_checks("amount"),
            models.UniqueConstraint(fields=["account", "asset"], name="observed_balance_once"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.asset}"


class SourceGap(models.Model):
    """A stretch of time of which a source could not tell everything."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("source_gaps")
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="gaps", verbose_name=_("account"))
    stream = models.CharField(_("stream"), max_length=40)
    symbol = models.CharField(_("symbol"), max_length=80, blank=True)
    from_at = models.DateTimeField(_("from"))
    to_at = models.DateTimeField(_("to"))
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = models.Manager()

    class Meta:
        verbose_name = _("gap of a source")
        verbose_name_plural = _("gaps of sources")
        ordering = ["account", "stream", "symbol", "from_at"]
        constraints = [
            models.UniqueConstraint(fields=["account", "stream", "symbol", "from_at"], name="source_gap_once"),
            models.CheckConstraint(condition=Q(from_at__lt=F("to_at")), name="source_gap_has_a_length"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.symbol}".strip()
