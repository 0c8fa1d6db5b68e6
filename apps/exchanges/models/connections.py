"""Connections of people with exchanges, their sealed keys, and the log of every time a key was opened."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.core.vault import Place
from apps.portfolios.models import Account, Portfolio

LONGEST_LABEL: Final = 80
#: So long a line about a sync stays in the log of a key; the database refuses to forget it sooner (0001).
SYNC_USES_KEPT: Final = timedelta(days=30)


class ConnectionState(models.TextChoices):
    """How a connection stands. That it is being read at the moment is told by its open run, not by this."""

    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ERROR = "error", _("Needs you")
    REVOKED = "revoked", _("Key refused")


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """The words in which connections are asked for."""

    def for_user(self, user: User) -> ConnectionQuerySet:
        """Keep the person's own."""
        return self.filter(owner=user)

    def of_portfolio(self, portfolio_id: UUID) -> ConnectionQuerySet:
        """Keep those that feed one portfolio."""
        return self.filter(portfolio_id=portfolio_id)

    def readable(self) -> ConnectionQuerySet:
        """Keep those that may be asked at all: neither paused by their owner nor refused by the exchange."""
        return self.filter(state__in=(ConnectionState.ACTIVE, ConnectionState.ERROR))

    def due(self, *, now: datetime) -> ConnectionQuerySet:
        """Keep those whose next sync has come, longest waiting first."""
        return self.readable().filter(next_run_at__lte=now).order_by("next_run_at", "id")

    def to_probe(self, *, before: datetime) -> ConnectionQuerySet:
        """Keep those whose rights nobody has looked at since a moment."""
        return self.readable().filter(Q(rights_checked_at=None) | Q(rights_checked_at__lt=before)).order_by("id")


class Connection(models.Model):
    """One read-only key of a person at one exchange, and the account of the ledger that it fills."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="connections", verbose_name=_("owner")
    )
    portfolio = models.ForeignKey(
        Portfolio, on_delete=models.CASCADE, related_name="connections", verbose_name=_("portfolio")
    )
    account = models.ForeignKey(
        Account, on_delete=models.RESTRICT, related_name="connections", verbose_name=_("account")
    )
    exchange = models.CharField(_("exchange"), max_length=32)
    label = models.CharField(_("label"), max_length=LONGEST_LABEL)
    state = models.CharField(_("state"), max_length=8, choices=ConnectionState.choices, default=ConnectionState.ACTIVE)
    problem_code = models.CharField(_("problem"), max_length=64, blank=True)
    problem_detail = models.CharField(_("what the problem is"), max_length=500, blank=True)
    certified = models.BooleanField(_("tested with this exchange"), default=True)
    is_simulated = models.BooleanField(_("simulated"), default=False)
    #: What the exchange calls the account that the key opens; empty where it does not tell.
    venue_account = models.CharField(_("account at the exchange"), max_length=80, blank=True)
    key_hint = models.CharField(_("key"), max_length=16)
    #: Tells two keys apart without holding either: a keyed hash.
    key_fingerprint = models.CharField(max_length=64, editable=False)
    rights = models.JSONField(_("rights of the key"), default=dict)
    rights_checked_at = models.DateTimeField(_("rights looked at"), null=True, blank=True)
    key_changed_at = models.DateTimeField(_("key since"))
    last_used_at = models.DateTimeField(_("key last used"), null=True, blank=True)
    #: Markets that the owner names, for exchanges that tell trades only market by market.
    hints = models.JSONField(_("markets to look at"), default=list, blank=True)
    #: What lies before is in the ledger from files; empty: everything is read.
    history_from = models.DateTimeField(_("history is read from"), null=True, blank=True)
    next_run_at = models.DateTimeField(_("next sync"), null=True, blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    created_at = models.DateTimeField(_("connected"), default=now, editable=False)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "exchange", "key_fingerprint"], name="connection_key_once"),
            models.UniqueConstraint(fields=["account"], name="connection_account_once"),
            models.CheckConstraint(condition=Q(state__in=ConnectionState.values), name="connection_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state=ConnectionState.PAUSED) | Q(paused_at__isnull=False),
                name="connection_paused_since",
            ),
            models.CheckConstraint(condition=~Q(label=""), name="connection_has_a_label"),
            models.CheckConstraint(
                condition=Q(key_fingerprint__regex=r"^[0-9a-f]{64}$"), name="connection_keeps_a_hash"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_run_at"],
                name="connection_due",
                condition=Q(state__in=(ConnectionState.ACTIVE, ConnectionState.ERROR)),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def place(self, field: str) -> Place:
        """Return where a secret of this connection belongs; it opens nowhere else."""
        return Place(owner=str(self.owner_id), record=str(self.pk), field=field)


class SealedSecret(models.Model):
    """One field of a key, sealed for its owner, its connection and its name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="secrets", verbose_name=_("connection")
    )
    field = models.CharField(_("field"), max_length=32)
    sealed = models.BinaryField(editable=False)
    key_version = models.PositiveBigIntegerField(_("version of the master key"))
    changed_at = models.DateTimeField(_("changed"))

    objects = models.Manager()

    class Meta:
        verbose_name = _("sealed secret")
        verbose_name_plural = _("sealed secrets")
        ordering = ["connection", "field"]
        constraints = [models.UniqueConstraint(fields=["connection", "field"], name="sealed_secret_once")]
        indexes = [models.Index(fields=["key_version", "id"], name="sealed_secret_version")]

    def __str__(self) -> str:
        return self.field


class UsePurpose(models.TextChoices):
    """What a key was opened for."""

    CONNECT = "connect", _("Connecting")
    REPLACE = "replace", _("Replacing the key")
    RIGHTS = "rights", _("Looking at its rights")
    SYNC = "sync", _("Sync")


class KeyUse(models.Model):
    """A key was opened. Rows are added; the database refuses every other change while the connection lives."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="key_uses",
        verbose_name=_("connection"),
    )
    at = models.DateTimeField(_("at"))
    purpose = models.CharField(_("for"), max_length=8, choices=UsePurpose.choices)
    key_hint = models.CharField(_("key"), max_length=16)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)

    objects = models.Manager()

    class Meta:
        verbose_name = _("use of a key")
        verbose_name_plural = _("uses of keys")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=UsePurpose.values), name="key_use_purpose_is_known"),
        ]
        indexes = [models.Index(fields=["connection", "-id"], name="key_use_newest")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.at:%Y-%m-%d %H:%M}"


class VenueAccount(models.Model):
    """Which account at an exchange fills an account of the ledger; it stays when the key is gone.

    Who connects again, with another key, goes on where the old one stopped, and no row comes twice.
    """

    account: models.OneToOneField[Any, Account] = models.OneToOneField(
        Account,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="venue_account",
        verbose_name=_("account"),
    )
    exchange = models.CharField(_("exchange"), max_length=32)
    name = models.CharField(_("account at the exchange"), max_length=80, blank=True)
    is_simulated = models.BooleanField(_("simulated"), default=False)

    objects = models.Manager()

    class Meta:
        verbose_name = _("account at an exchange")
        verbose_name_plural = _("accounts at exchanges")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.exchange} {self.name}".strip()
