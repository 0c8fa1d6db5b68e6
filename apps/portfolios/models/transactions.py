"""Transactions: what happened, exactly as it was told. Rows are added and may be marked as reversed, once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.core.models import AmountField, amount_checks
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models.portfolios import Account, Batch, of_portfolio

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

#: Entries that are told by a value or a price.
VALUED = (EntryType.BUY, EntryType.SELL, EntryType.INCOME, EntryType.SPEND, EntryType.FEE)
AMOUNTS = (
    "amount",
    "price",
    "value",
    "fee",
    "fee_value",
    "out_amount",
    "in_amount",
    "received",
    "ratio",
)
LONGEST_ASSET = 64
#: What may need a value that its source did not tell, whatever the money of account.
UNTOLD = (
    Q(type=EntryType.TRADE.value, value=None)
    | Q(type__in=[one.value for one in VALUED], value=None, price=None)
    | Q(type=EntryType.TRANSFER.value, received__lt=F("amount"), fee_value=None)
    | (Q(fee__gt=0, fee_value=None) & ~Q(fee_asset=""))
    | ~Q(quote="")
)
#: Coins that came from outside, or left for there.
LOOSE = Q(type=EntryType.TRANSFER.value) & (Q(from_account=None) | Q(to_account=None))


class TransactionQuerySet(models.QuerySet["Transaction"]):
    """The words in which transactions are asked for."""

    def for_user(self, user: User) -> TransactionQuerySet:
        """Keep what is in the person's own portfolios."""
        return self.filter(portfolio__owner=user)

    def standing(self) -> TransactionQuerySet:
        """Keep what counts: neither reversed nor replaced."""
        return self.filter(reversed_in=None)

    def untold(self) -> TransactionQuerySet:
        """Keep what may need a value that its source did not tell."""
        return self.filter(UNTOLD)

    def loose(self) -> TransactionQuerySet:
        """Keep the transfers from and to outside."""
        return self.filter(LOOSE)

    def in_order(self) -> TransactionQuerySet:
        """Order as they are booked: time, the source's own sequence, place."""
        return self.order_by("at", "sequence", "place")

    def newest_first(self) -> TransactionQuerySet:
        """Order as people read them."""
        return self.order_by("-at", "-sequence", "-place")


def _account(related_name: str, verbose_name: _StrPromise) -> models.ForeignKey[Account | None, Account | None]:
    return models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        related_name=related_name,
        verbose_name=verbose_name,
    )


def _amount(verbose_name: _StrPromise) -> AmountField[Decimal | None, Decimal | None]:
    return AmountField(verbose_name, null=True, blank=True)


def _asset(verbose_name: _StrPromise) -> models.CharField[str, str]:
    return models.CharField(verbose_name, max_length=LONGEST_ASSET, blank=True)


class Transaction(models.Model):
    """One entry of the ledger, with the fields of section 6 of the contract.

    `account` is whose record it is. A transfer without `from_account` comes from outside, one without `to_account`
    goes there. `place` is the id that decides the order among equals; a replacement stands in the place of the first.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("transactions")
    batch = models.ForeignKey(Batch, on_delete=models.DO_NOTHING, related_name="transactions", verbose_name=_("batch"))
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, related_name="transactions", verbose_name=_("account")
    )
    at = models.DateTimeField(_("at"))
    sequence = models.BigIntegerField(_("sequence of the source"), default=0)
    place = models.UUIDField(_("place"), default=uuid7, editable=False)
    type = models.CharField(_("type"), max_length=20, choices=[(one.value, one.value) for one in EntryType])
    asset = _asset(_("asset"))
    amount = _amount(_("amount"))
    price = _amount(_("price"))
    value = _amount(_("value"))
    fee = _amount(_("fee"))
    fee_asset = _asset(_("fee asset"))
    fee_value = _amount(_("value of the fee"))
    fee_on = models.CharField(_("fee on"), max_length=3, blank=True)
    out_asset = _asset(_("asset given"))
    out_amount = _amount(_("amount given"))
    in_asset = _asset(_("asset received"))
    in_amount = _amount(_("amount received"))
    kind = models.CharField(_("kind of income"), max_length=32, blank=True)
    received = _amount(_("amount that arrived"))
    ratio = _amount(_("ratio"))
    quote = _asset(_("money that values are told in, if another"))
    from_account = _account("sent", _("from account"))
    to_account = _account("arrived", _("to account"))
    external_id = models.CharField(_("id at the source"), max_length=200, null=True, blank=True)  # noqa: DJ001 - none is none
    source = models.CharField(_("source"), max_length=64)
    note = models.CharField(_("note"), max_length=500, blank=True)
    tx_hash = models.CharField(_("transaction hash"), max_length=120, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    replaces = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        related_name="replaced_by",
        verbose_name=_("replaces"),
    )
    reversed_in = models.ForeignKey(
        Batch,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        related_name="reversed",
        verbose_name=_("reversed in"),
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = TransactionQuerySet.as_manager()

    class Meta:
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        ordering = ["-at", "-sequence", "-place"]
        constraints = [
            *amount_checks(*AMOUNTS),
            models.CheckConstraint(
                condition=Q(*[Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0}) for name in AMOUNTS]),
                name="transaction_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(type__in=[one.value for one in EntryType]), name="transaction_type_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(type=EntryType.TRANSFER.value)
                | Q(from_account__isnull=False)
                | Q(to_account__isnull=False),
                name="transaction_transfer_has_an_account",
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="transaction_external_id_not_empty"),
            models.UniqueConstraint(
                fields=["account", "external_id"],
                condition=Q(reversed_in=None, external_id__isnull=False),
                name="transaction_external_id_once",
            ),
            models.UniqueConstraint(
                fields=["replaces"], condition=Q(replaces__isnull=False), name="transaction_replaced_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["portfolio", "-at", "-sequence", "-place"],
                name="transaction_newest",
                condition=Q(reversed_in=None),
            ),
            models.Index(fields=["portfolio", "asset", "-at"], name="transaction_asset", condition=Q(reversed_in=None)),
            models.Index(
                fields=["portfolio", "-at"], name="transaction_untold", condition=UNTOLD & Q(reversed_in=None)
            ),
            models.Index(fields=["portfolio"], name="transaction_loose", condition=LOOSE & Q(reversed_in=None)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.at:%Y-%m-%d %H:%M}"


class ValueState(models.TextChoices):
    """Whether a value that the source did not tell is known."""

    PRICED = "priced", _("Priced")
    PENDING = "pending", _("Pending")
    UNPRICED = "unpriced", _("Unpriced")


class Valuation(models.Model):
    """What the source of a transaction did not tell: its values in the money of account, and where they are from."""

    transaction = models.OneToOneField(
        Transaction, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="valuation"
    )
    portfolio = of_portfolio("valuations")
    state = models.CharField(_("state"), max_length=8, choices=ValueState.choices, default=ValueState.PENDING)
    value = _amount(_("value"))
    fee_value = _amount(_("value of the fee"))
    source = models.CharField(_("source of the price"), max_length=120, blank=True)
    price_at = models.DateTimeField(_("time of the price"), null=True, blank=True)
    valued_at = models.DateTimeField(_("valued at"), default=now)

    objects = models.Manager()

    class Meta:
        verbose_name = _("valuation")
        verbose_name_plural = _("valuations")
        ordering = ["pk"]
        constraints = [
            *amount_checks("value", "fee_value"),
            models.CheckConstraint(condition=Q(state__in=ValueState.values), name="valuation_state_is_known"),
        ]
        indexes = [
            models.Index(fields=["portfolio"], name="valuation_open", condition=~Q(state=ValueState.PRICED)),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.value or ''}".strip()
