"""Portfolios: whose they are, by which rules they are booked, their accounts, and the batches that filled them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import now
from apps.core.ids import uuid7

MONEY_DEFAULT = "USD"


class PortfolioQuerySet(models.QuerySet["Portfolio"]):
    """The words in which portfolios are asked for."""

    def for_user(self, user: User) -> PortfolioQuerySet:
        """Keep the person's own."""
        return self.filter(owner=user)

    def in_order(self) -> PortfolioQuerySet:
        """Order with the default one first, then as they were made."""
        return self.order_by("-is_default", "id")

    def unbooked(self) -> PortfolioQuerySet:
        """Keep those whose ledger has moved on since it was last booked."""
        return self.filter(version__gt=models.F("booked_version"))


class Portfolio(models.Model):
    """A ledger of one person, in one money of account.

    `version` rises with every change of what is booked; `booked_version` is the one that the stored result shows.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="portfolios", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=80)
    currency = models.CharField(_("money of account"), max_length=16, default=MONEY_DEFAULT)
    is_default = models.BooleanField(_("default"), default=False)
    version = models.PositiveBigIntegerField(_("version of the ledger"), default=0)
    booked_version = models.PositiveBigIntegerField(_("version that is booked"), default=0)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = PortfolioQuerySet.as_manager()

    class Meta:
        verbose_name = _("portfolio")
        verbose_name_plural = _("portfolios")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["owner"], condition=Q(is_default=True), name="portfolio_one_default"),
            models.CheckConstraint(condition=~Q(name=""), name="portfolio_has_a_name"),
            models.CheckConstraint(condition=~Q(currency=""), name="portfolio_has_a_currency"),
        ]
        indexes = [
            models.Index(fields=["id"], name="portfolio_unbooked", condition=Q(version__gt=models.F("booked_version"))),
        ]

    def __str__(self) -> str:
        return self.name


def of_portfolio(related_name: str) -> models.ForeignKey[Portfolio, Portfolio]:
    """Point at a portfolio; the database itself deletes the row with it (0002), and nothing else may."""
    return models.ForeignKey(
        Portfolio,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name=related_name,
        verbose_name=_("portfolio"),
    )


class PolicyPeriod(models.Model):
    """The rules of booking from a moment on; without a moment, from the beginning."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("policy_periods")
    from_at = models.DateTimeField(_("from"), null=True, blank=True)
    policy = models.JSONField(_("policy"), default=dict)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = models.Manager()

    class Meta:
        verbose_name = _("policy period")
        verbose_name_plural = _("policy periods")
        ordering = ["portfolio", "from_at"]
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "from_at"], name="policy_period_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.portfolio_id} {self.from_at or ''}".strip()


class AccountKind(models.TextChoices):
    """What an account is."""

    EXCHANGE = "exchange", _("Exchange")
    WALLET = "wallet", _("Wallet")
    MANUAL = "manual", _("Manual")


class Account(models.Model):
    """A place where coins lie. Entries name it as section 6 of the contract does: by its name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("accounts")
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=8, choices=AccountKind.choices, default=AccountKind.MANUAL)
    exchange = models.CharField(_("exchange"), max_length=32, blank=True)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = models.Manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "name"], name="account_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="account_has_a_name"),
            models.CheckConstraint(condition=Q(kind__in=AccountKind.values), name="account_kind_is_known"),
        ]

    def __str__(self) -> str:
        return self.name


class BatchKind(models.TextChoices):
    """What brought a batch about."""

    MANUAL = "manual", _("By hand")
    IMPORT = "import", _("Import")
    SYNC = "sync", _("Sync")
    CORRECTION = "correction", _("Correction")
    ANSWER = "answer", _("Answer about an address")


class BatchState(models.TextChoices):
    """Where a batch stands."""

    PREVIEW = "preview", _("Preview")
    COMMITTED = "committed", _("Committed")
    UNDONE = "undone", _("Undone")


class Batch(models.Model):
    """Entries that came together: who brought them, from where, what became of them, and why they were undone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("batches")
    kind = models.CharField(_("kind"), max_length=10, choices=BatchKind.choices, default=BatchKind.MANUAL)
    state = models.CharField(_("state"), max_length=9, choices=BatchState.choices, default=BatchState.COMMITTED)
    source = models.CharField(_("source"), max_length=64)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    posted = models.PositiveIntegerField(_("posted"), default=0)
    duplicates = models.PositiveIntegerField(_("known already"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("at"), default=now)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    objects = models.Manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=BatchKind.values), name="batch_kind_is_known"),
            models.CheckConstraint(condition=Q(state__in=BatchState.values), name="batch_state_is_known"),
        ]
        indexes = [models.Index(fields=["portfolio", "-id"], name="batch_newest")]

    def __str__(self) -> str:
        return f"{self.source} {self.at:%Y-%m-%d %H:%M}"
