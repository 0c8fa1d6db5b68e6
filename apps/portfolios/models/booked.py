"""What was booked: the result of a ledger under one policy, in parts that are read alone, and what is held."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.portfolios.models.portfolios import Portfolio, of_portfolio
from apps.portfolios.models.transactions import LONGEST_ASSET, ValueState


class BookedResult(models.Model):
    """One booking: of which version of the ledger, under which policy, and the hash of all that went in."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("results")
    policy = models.JSONField(_("policy"), default=dict)
    policy_hash = models.CharField(_("hash of the policy"), max_length=64)
    is_own = models.BooleanField(_("the portfolio's own policy"), default=False)
    version = models.PositiveBigIntegerField(_("version of the ledger"))
    input_hash = models.CharField(_("hash of the input"), max_length=64)
    entries = models.PositiveIntegerField(_("entries"), default=0)
    totals = models.JSONField(_("totals"), default=dict)
    booked_at = models.DateTimeField(_("booked at"), default=now)
    revision = models.PositiveBigIntegerField(_("times it was written"), default=0)

    objects = models.Manager()

    class Meta:
        verbose_name = _("booked result")
        verbose_name_plural = _("booked results")
        ordering = ["-booked_at"]
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "policy_hash"], name="booked_result_once"),
            models.UniqueConstraint(fields=["portfolio"], condition=Q(is_own=True), name="booked_result_own_once"),
        ]

    def __str__(self) -> str:
        return f"{self.portfolio_id} {self.version}"


class BookedPart(models.Model):
    """A part of a result as compressed JSON: what is left at the end, or what a stretch of entries brought.

    A stretch begins after `start` entries. It has a part for what is missing or wrong, and one for each year.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    result = models.ForeignKey(
        BookedResult,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="parts",
        verbose_name=_("result"),
    )
    name = models.CharField(_("name"), max_length=16)
    start = models.PositiveIntegerField(_("entries before it"), default=0)
    body = models.BinaryField(_("body"))

    objects = models.Manager()

    class Meta:
        verbose_name = _("part of a booked result")
        verbose_name_plural = _("parts of booked results")
        ordering = ["result", "name", "start"]
        constraints = [models.UniqueConstraint(fields=["result", "name", "start"], name="booked_part_once")]

    def __str__(self) -> str:
        return self.name


class Holding(models.Model):
    """What a portfolio holds of one asset, and what that is worth; made anew by booking and by valuing.

    Numbers are exact plain text, as the answers write them: a product may be longer than an amount may be.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("holdings")
    asset = models.CharField(_("asset"), max_length=LONGEST_ASSET)
    amount = models.TextField(_("amount"))
    cost_basis = models.TextField(_("cost basis"))
    accounts = models.JSONField(_("by account"), default=dict)
    price = models.TextField(_("price"), null=True, blank=True)  # noqa: DJ001 - none is none
    price_state = models.CharField(
        _("state of the price"), max_length=8, choices=ValueState.choices, default=ValueState.PENDING
    )
    price_source = models.CharField(_("source of the price"), max_length=120, blank=True)
    price_at = models.DateTimeField(_("time of the price"), null=True, blank=True)
    value = models.TextField(_("value"), null=True, blank=True)  # noqa: DJ001 - none is none
    unrealised = models.TextField(_("unrealised"), null=True, blank=True)  # noqa: DJ001 - none is none

    objects = models.Manager()

    class Meta:
        verbose_name = _("holding")
        verbose_name_plural = _("holdings")
        ordering = ["portfolio", "asset"]
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "asset"], name="holding_once"),
            models.CheckConstraint(condition=Q(price_state__in=ValueState.values), name="holding_price_state_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.asset}"


class PortfolioValueQuerySet(models.QuerySet["PortfolioValue"]):
    """The words in which values are asked for."""

    def for_user(self, user: User) -> PortfolioValueQuerySet:
        """Keep those of the person's own portfolios."""
        return self.filter(portfolio__owner=user)


class PortfolioValue(models.Model):
    """What a portfolio is worth, ready to be sent: `version` rises with every change of the answer and is its ETag."""

    portfolio = models.OneToOneField(
        Portfolio,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="value",
        verbose_name=_("portfolio"),
    )
    version = models.PositiveBigIntegerField(_("version"), default=0)
    booked_version = models.PositiveBigIntegerField(_("version of the ledger"), default=0)
    valued_at = models.DateTimeField(_("valued at"))
    seen_at = models.DateTimeField(_("last looked at"))
    currency = models.CharField(_("money of account"), max_length=16)
    total = models.TextField(_("total"), default="0")
    completeness = models.JSONField(_("completeness"), default=dict)
    body = models.BinaryField(_("answer"))

    objects = PortfolioValueQuerySet.as_manager()

    class Meta:
        verbose_name = _("value of a portfolio")
        verbose_name_plural = _("values of portfolios")
        ordering = ["pk"]
        indexes = [models.Index(fields=["seen_at"], name="portfolio_value_seen")]

    def __str__(self) -> str:
        return f"{self.total} {self.currency}"
