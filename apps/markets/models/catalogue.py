"""Assets with their identity, and instruments: pairs of assets on a venue. What vanished stays known."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import uuid7
from apps.core.models import AmountField, amount_checks
from apps.markets.domain.instruments import KNOWN_VENUES, InstrumentName

SIMULATED_FEED = "simulator"


def world_is_simulated() -> bool:
    """Tell in which of the two worlds, real or simulated, this instance shows markets."""
    return bool(settings.FEED == SIMULATED_FEED)


class AssetKind(models.TextChoices):
    """What sort of money an asset is."""

    CRYPTO = "crypto", _("Crypto")
    STABLECOIN = "stablecoin", _("Stablecoin")
    FIAT = "fiat", _("Fiat")


class Asset(models.Model):
    """A coin or a currency, whatever a venue calls it; a merged one points at what it became."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    symbol = models.CharField(_("symbol"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=80, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=AssetKind.choices, default=AssetKind.CRYPTO)
    peg = models.CharField(_("currency it is meant to be worth"), max_length=8, blank=True)
    digits = models.PositiveSmallIntegerField(_("fraction digits shown"), default=8)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged", verbose_name=_("merged into")
    )
    is_active = models.BooleanField(_("traded somewhere"), default=True)

    class Meta:
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        ordering = ["symbol"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AssetKind.values), name="asset_kind_is_known"),
            models.CheckConstraint(condition=~Q(symbol=""), name="asset_has_a_symbol"),
            models.CheckConstraint(condition=Q(digits__lte=30), name="asset_digits_can_be_kept"),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")), name="asset_not_merged_into_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.symbol


class AssetCode(models.Model):
    """What a venue or a chain calls an asset, and since when and until when; the place "" is every venue."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="codes", verbose_name=_("asset"))
    place = models.CharField(_("venue or chain"), max_length=32, blank=True)
    code = models.CharField(_("ticker or contract"), max_length=120)
    from_at = models.DateTimeField(_("from"), null=True, blank=True)
    until_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("asset code")
        verbose_name_plural = _("asset codes")
        ordering = ["place", "code", "from_at"]
        constraints = [
            models.UniqueConstraint(fields=["place", "code", "from_at"], name="asset_code_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(from_at=None) | Q(until_at=None) | Q(until_at__gt=F("from_at")),
                name="asset_code_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place or '*'}:{self.code}"

    def holds_at(self, moment: datetime) -> bool:
        """Tell whether the code meant this asset at that moment."""
        begun = self.from_at is None or self.from_at <= moment
        return begun and (self.until_at is None or moment < self.until_at)


class InstrumentQuerySet(models.QuerySet["Instrument"]):
    """The words in which instruments are asked for."""

    def here(self) -> InstrumentQuerySet:
        """Keep those of the world that this instance shows; the two never mix."""
        return self.filter(simulated=world_is_simulated())

    def active(self) -> InstrumentQuerySet:
        """Keep what its venue lists and trades."""
        return self.filter(active=True)

    def named(self, name: InstrumentName) -> InstrumentQuerySet:
        """Keep the one of that name; chain after `here`."""
        return self.filter(venue=name.venue, symbol=name.symbol)

    def by_size(self) -> InstrumentQuerySet:
        """Order by traded value, the largest first; unknown last."""
        return self.order_by(F("volume_usd").desc(nulls_last=True), "id")


class Instrument(models.Model):
    """A pair that a venue trades, or has traded."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    simulated = models.BooleanField(_("simulated"), default=False)
    venue = models.CharField(_("venue"), max_length=16)
    symbol = models.CharField(_("pair"), max_length=65)
    venue_symbol = models.CharField(_("the venue's own name"), max_length=80)
    base = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="instruments", verbose_name=_("base"))
    quote = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="quoting", verbose_name=_("quote"))
    price_digits = models.PositiveSmallIntegerField(_("fraction digits of a price"), default=8)
    amount_digits = models.PositiveSmallIntegerField(_("fraction digits of an amount"), default=8)
    active = models.BooleanField(_("active"), default=True)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    missing_since = models.DateTimeField(_("missing since"), null=True, blank=True)
    vanished_at = models.DateTimeField(_("vanished"), null=True, blank=True)
    volume_24h = AmountField(_("traded in a day, in the quote"), null=True, blank=True)
    volume_usd = AmountField(_("traded in a day, in USD"), null=True, blank=True)

    objects = InstrumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("instrument")
        verbose_name_plural = _("instruments")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["simulated", "base", "active"], name="instrument_by_base"),
            models.Index(fields=["simulated", "quote", "active"], name="instrument_by_quote"),
            models.Index(F("simulated"), F("active"), F("volume_usd").desc(nulls_last=True), name="instrument_by_size"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["simulated", "venue", "symbol"], name="instrument_once"),
            models.CheckConstraint(condition=Q(venue__in=KNOWN_VENUES), name="instrument_venue_is_known"),
            models.CheckConstraint(
                condition=Q(price_digits__lte=30, amount_digits__lte=30), name="instrument_digits_can_be_kept"
            ),
            models.CheckConstraint(
                condition=Q(vanished_at=None) | Q(active=False), name="instrument_vanished_is_not_active"
            ),
            *amount_checks("volume_24h", "volume_usd"),
        ]

    def __str__(self) -> str:
        return f"{self.venue}:{self.symbol}"

    @property
    def name(self) -> InstrumentName:
        """What it is called everywhere."""
        base, _slash, quote = self.symbol.partition("/")
        return InstrumentName(self.venue, base, quote)
