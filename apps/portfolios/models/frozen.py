"""Tax years that were frozen: their figures as they were, who froze them and when, and how that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.portfolios.models.portfolios import of_portfolio

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LONGEST_REASON = 200


def _person(label: _StrPromise) -> models.ForeignKey[User | None, User | None]:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=label,
    )


class FrozenEnd(models.TextChoices):
    """How a frozen year ended."""

    UNLOCKED = "unlocked", _("Unlocked")
    REPLACED = "replaced", _("Frozen anew")


class FrozenYearQuerySet(models.QuerySet["FrozenYear"]):
    """The words in which frozen years are asked for."""

    def for_user(self, user: User) -> FrozenYearQuerySet:
        """Keep those of the person's own portfolios."""
        return self.filter(portfolio__owner=user)

    def standing(self) -> FrozenYearQuerySet:
        """Keep those that hold: neither unlocked nor frozen anew."""
        return self.filter(ended_at=None)


class FrozenYear(models.Model):
    """A tax year as it was frozen; `body` holds its rows and sums, `input_hash` stands for all that they came from.

    The database lets a row only end, once (0009); what was frozen stays to be read.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("frozen_years")
    year = models.PositiveSmallIntegerField(_("year"))
    currency = models.CharField(_("money of account"), max_length=16)
    policy = models.JSONField(_("policy"), default=dict)
    version = models.PositiveBigIntegerField(_("version of the ledger"))
    input_hash = models.CharField(_("hash of the input"), max_length=64)
    result_hash = models.CharField(_("hash of the figures"), max_length=64)
    totals = models.JSONField(_("totals"), default=dict)
    issues = models.JSONField(_("open issues that were accepted"), default=list)
    body = models.BinaryField(_("figures"))
    note = models.CharField(_("note"), max_length=LONGEST_REASON, blank=True)
    by = _person(_("by"))
    at = models.DateTimeField(_("frozen at"), default=now)
    ended_as = models.CharField(_("how it ended"), max_length=8, choices=FrozenEnd.choices, blank=True)
    ended_by = _person(_("ended by"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON, blank=True)

    objects = FrozenYearQuerySet.as_manager()

    class Meta:
        verbose_name = _("frozen year")
        verbose_name_plural = _("frozen years")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["portfolio", "year"], condition=Q(ended_at=None), name="frozen_year_stands_once"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_as="") | Q(ended_at__isnull=False, ended_as__in=FrozenEnd.values),
                name="frozen_year_ends_somehow",
            ),
        ]
        indexes = [models.Index(fields=["portfolio", "year", "-id"], name="frozen_year_trail")]

    def __str__(self) -> str:
        return f"{self.year} {self.at:%Y-%m-%d %H:%M}"


class FrozenCheck(models.Model):
    """What comparing a frozen year with a version of the ledger came to, so that it is not compared again."""

    frozen = models.OneToOneField(
        FrozenYear,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="check_made",
        verbose_name=_("frozen year"),
    )
    version = models.PositiveBigIntegerField(_("version of the ledger"))
    differs = models.BooleanField(_("differs"))
    moved = models.TextField(_("change of gain and income"), default="0")

    objects = models.Manager()

    class Meta:
        verbose_name = _("check of a frozen year")
        verbose_name_plural = _("checks of frozen years")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.frozen_id} {self.version}"
