"""Transfers between one's own accounts whose two sides were told by two sources, and pairs that are none."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now
from apps.core.ids import uuid7
from apps.core.models import AmountField, amount_checks
from apps.portfolios.models.portfolios import Account, of_portfolio
from apps.portfolios.models.transactions import Transaction


class TransferMatch(models.Model):
    """Coins that left one account and arrived in others: made by a person, or by rules that leave no doubt."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("matches")
    out = models.OneToOneField(
        Transaction, on_delete=models.DO_NOTHING, related_name="match", verbose_name=_("what left")
    )
    score = models.PositiveSmallIntegerField(_("score"), default=100)
    reasons = models.JSONField(_("reasons"), default=list)
    fee_value: AmountField[Decimal | None, Decimal | None] = AmountField(_("value of the fee"), null=True, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = models.Manager()

    class Meta:
        verbose_name = _("matched transfer")
        verbose_name_plural = _("matched transfers")
        ordering = ["-id"]
        constraints = [*amount_checks("fee_value")]
        indexes = [models.Index(fields=["portfolio", "-id"], name="transfer_match_newest")]

    def __str__(self) -> str:
        return str(self.out_id)


class TransferArrival(models.Model):
    """What arrived of a matched transfer."""

    transaction = models.OneToOneField(
        Transaction, on_delete=models.DO_NOTHING, primary_key=True, related_name="arrival", verbose_name=_("arrived as")
    )
    match = models.ForeignKey(
        TransferMatch,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="arrivals",
        verbose_name=_("matched transfer"),
    )

    objects = models.Manager()

    class Meta:
        verbose_name = _("arrival of a transfer")
        verbose_name_plural = _("arrivals of transfers")
        ordering = ["match", "transaction"]

    def __str__(self) -> str:
        return str(self.transaction_id)


class PartedPair(models.Model):
    """Two sides that a person has parted: rules do not put them together again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("parted_pairs")
    out_id = models.UUIDField(_("what left"))
    arrived_id = models.UUIDField(_("what arrived"))

    objects = models.Manager()

    class Meta:
        verbose_name = _("parted pair")
        verbose_name_plural = _("parted pairs")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "out_id", "arrived_id"], name="parted_pair_once"),
        ]

    def __str__(self) -> str:
        return f"{self.out_id} {self.arrived_id}"


ANSWERS = [("mine", _("Mine")), ("payment", _("A payment")), ("gift", _("A gift"))]


class AddressAnswer(models.Model):
    """What a person said once of an address; transfers from and to it are booked so, also those that come later."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("address_answers")
    address = models.CharField(_("address"), max_length=200)
    answer = models.CharField(_("answer"), max_length=7, choices=ANSWERS)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="address_answers",
        verbose_name=_("own account that it is"),
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = models.Manager()

    class Meta:
        verbose_name = _("answer about an address")
        verbose_name_plural = _("answers about addresses")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "address"], name="address_answered_once"),
            models.CheckConstraint(condition=~Q(address=""), name="address_answer_has_an_address"),
            models.CheckConstraint(
                condition=Q(answer="mine", account__isnull=False)
                | Q(answer__in=["payment", "gift"], account__isnull=True),
                name="address_answer_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address} {self.answer}"
