"""Candles as they are kept: closed ones in compressed blocks, the newest as rows, suspicious ones in quarantine."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now as clock_now
from apps.core.ids import uuid7
from apps.core.models import LeasedWork
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models.catalogue import Instrument, world_is_simulated

#: A block holds the candles of one stretch of so many open times, so that a late one finds its block at once.
SLOT_CANDLES = 8_192


class CandleSource(models.TextChoices):
    """Where a candle came from."""

    VENUE = "venue", _("the exchange's history")
    BUILT = "built", _("built from live prices")
    IMPORTED = "imported", _("a file")
    RELEASED = "released", _("released from quarantine")


class CandleSeriesQuerySet(models.QuerySet["CandleSeries"]):
    """The words in which series are asked for."""

    def here(self) -> CandleSeriesQuerySet:
        """Keep those of the world that this instance shows."""
        return self.filter(instrument__simulated=world_is_simulated())

    def traded(self) -> CandleSeriesQuerySet:
        """Keep those of pairs that their venue still trades."""
        return self.filter(instrument__active=True)


class CandleSeries(models.Model):
    """The candles of one instrument in one timeframe; its row is the lock under which they change."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, related_name="series", verbose_name=_("instrument")
    )
    timeframe = models.CharField(_("timeframe"), max_length=3, choices=[(one.value, one.value) for one in Timeframe])
    first_ts = models.BigIntegerField(_("first candle, in ms"), null=True, blank=True)
    last_ts = models.BigIntegerField(_("last candle, in ms"), null=True, blank=True)
    count = models.PositiveBigIntegerField(_("candles"), default=0)
    version = models.PositiveBigIntegerField(_("changes"), default=0)
    revised_count = models.PositiveBigIntegerField(_("candles that were corrected"), default=0)
    revised_at = models.DateTimeField(_("last corrected"), null=True, blank=True)
    wanted_at = models.DateTimeField(_("last asked for"), null=True, blank=True)

    objects = CandleSeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("candle series")
        verbose_name_plural = _("candle series")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "timeframe"], name="candle_series_once"),
            models.CheckConstraint(
                condition=Q(timeframe__in=[one.value for one in Timeframe]), name="candle_series_timeframe_is_known"
            ),
            models.CheckConstraint(
                condition=Q(count=0, first_ts=None, last_ts=None) | Q(count__gt=0, first_ts__lte=F("last_ts")),
                name="candle_series_has_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.timeframe}"

    @property
    def frame(self) -> Timeframe:
        """The timeframe as the domain knows it."""
        return Timeframe(self.timeframe)

    def slot_of(self, ts: int) -> int:
        """Return the number of the block that a time belongs to."""
        return ts // (SLOT_CANDLES * self.frame.milliseconds)


class CandleBlock(models.Model):
    """Closed candles of one stretch of time, packed by the codec; its head repeats what stands in the columns."""

    id = models.BigAutoField(primary_key=True)
    series = models.ForeignKey(CandleSeries, on_delete=models.CASCADE, related_name="blocks", verbose_name=_("series"))
    slot = models.BigIntegerField(_("stretch"))
    first_ts = models.BigIntegerField(_("first candle, in ms"))
    last_ts = models.BigIntegerField(_("last candle, in ms"))
    count = models.PositiveIntegerField(_("candles"))
    codec = models.PositiveSmallIntegerField(_("codec"))
    checksum = models.BigIntegerField(_("checksum"))
    source = models.CharField(_("source"), max_length=10, choices=CandleSource.choices)
    data = models.BinaryField(_("data"))
    stored_at = models.DateTimeField(_("stored"))
    revised_at = models.DateTimeField(_("last corrected"), null=True, blank=True)
    revised_count = models.PositiveIntegerField(_("candles that were corrected"), default=0)

    class Meta:
        verbose_name = _("candle block")
        verbose_name_plural = _("candle blocks")
        ordering = ["series", "slot"]
        constraints = [
            models.UniqueConstraint(fields=["series", "slot"], name="candle_block_once"),
            models.CheckConstraint(
                condition=Q(count__gt=0, count__lte=SLOT_CANDLES, first_ts__lte=F("last_ts")),
                name="candle_block_holds_candles",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series_id}/{self.slot}"


class CandleTail(models.Model):
    """A closed candle that is too new to be packed."""

    id = models.BigAutoField(primary_key=True)
    series = models.ForeignKey(CandleSeries, on_delete=models.CASCADE, related_name="tail", verbose_name=_("series"))
    ts = models.BigIntegerField(_("open time, in ms"))
    open = models.FloatField(_("open"))
    high = models.FloatField(_("high"))
    low = models.FloatField(_("low"))
    close = models.FloatField(_("close"))
    volume = models.FloatField(_("volume"))
    source = models.CharField(_("source"), max_length=10, choices=CandleSource.choices)

    class Meta:
        verbose_name = _("newest candle")
        verbose_name_plural = _("newest candles")
        ordering = ["series", "ts"]
        constraints = [
            models.UniqueConstraint(fields=["series", "ts"], name="candle_tail_once"),
            models.CheckConstraint(
                condition=Q(
                    low__gt=0, low__lte=F("high"), open__gte=F("low"), open__lte=F("high"),
                    close__gte=F("low"), close__lte=F("high"), volume__gte=0, high__lt=float("inf"),
                    volume__lt=float("inf"),
                ),
                name="candle_tail_is_possible",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.series_id}/{self.ts}"


class CandleGap(models.Model):
    """Open times for which the venue had nothing when it was asked; asked again later, never taken for granted."""

    id = models.BigAutoField(primary_key=True)
    series = models.ForeignKey(CandleSeries, on_delete=models.CASCADE, related_name="gaps", verbose_name=_("series"))
    from_ms = models.BigIntegerField(_("from, in ms"))
    to_ms = models.BigIntegerField(_("to, in ms"))
    tries = models.PositiveIntegerField(_("times asked"), default=1)
    checked_at = models.DateTimeField(_("last asked"))
    next_try_at = models.DateTimeField(_("asked again"))

    class Meta:
        verbose_name = _("candle gap")
        verbose_name_plural = _("candle gaps")
        ordering = ["series", "from_ms"]
        constraints = [
            models.UniqueConstraint(fields=["series", "from_ms"], name="candle_gap_once"),
            models.CheckConstraint(condition=Q(from_ms__lt=F("to_ms")), name="candle_gap_has_a_length"),
        ]

    def __str__(self) -> str:
        return f"{self.series_id}/{self.from_ms}"


class QuarantineState(models.TextChoices):
    """What became of a suspicious candle."""

    OPEN = "open", _("waiting for a decision")
    RELEASED = "released", _("let through")
    DISCARDED = "discarded", _("thrown away")
    REPLACED = "replaced", _("a sound candle has taken its place")


class QuarantinedCandle(models.Model):
    """A candle that the gate kept out, as it came, with the reason."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    series = models.ForeignKey(
        CandleSeries, on_delete=models.CASCADE, related_name="quarantine", verbose_name=_("series")
    )
    ts = models.BigIntegerField(_("open time it claims, in ms"))
    raw = ArrayField(models.CharField(max_length=40), size=6, verbose_name=_("as it came"))
    code = models.CharField(_("fault"), max_length=40)
    source = models.CharField(_("source"), max_length=10, choices=CandleSource.choices)
    origin = models.CharField(_("file and line"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=QuarantineState.choices, default=QuarantineState.OPEN)
    found_at = models.DateTimeField(_("found"))
    seen_at = models.DateTimeField(_("last seen"))
    seen_count = models.PositiveIntegerField(_("times seen"), default=1)
    settled_at = models.DateTimeField(_("decided"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("decided by"),
    )

    class Meta:
        verbose_name = _("quarantined candle")
        verbose_name_plural = _("quarantined candles")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "ts", "raw"], name="quarantined_candle_once"),
            models.CheckConstraint(
                condition=Q(state=QuarantineState.OPEN, settled_at=None)
                | (~Q(state=QuarantineState.OPEN) & Q(settled_at__isnull=False)),
                name="quarantined_candle_is_open_or_settled",
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="quarantined_by_state")]

    def __str__(self) -> str:
        return f"{self.series} {self.ts} {self.code}"


class Backfill(LeasedWork):
    """Fetching what is missing of a series in a stretch of time, the newest first; resumes where it stopped."""

    kind: ClassVar[str] = "backfill"
    retry_limit: ClassVar[int] = 12

    series = models.ForeignKey(CandleSeries, on_delete=models.CASCADE, related_name="+", verbose_name=_("series"))
    from_ms = models.BigIntegerField(_("from, in ms"))
    to_ms = models.BigIntegerField(_("to, in ms"))
    cursor_ms = models.BigIntegerField(_("done down to, in ms"))
    pages = models.PositiveIntegerField(_("pages"), default=0)
    empty_pages = models.PositiveSmallIntegerField(_("empty pages in a row"), default=0)
    fetched = models.PositiveBigIntegerField(_("candles that came"), default=0)
    stored = models.PositiveBigIntegerField(_("candles that were new"), default=0)
    refused = models.PositiveBigIntegerField(_("candles in quarantine"), default=0)

    class Meta(LeasedWork.Meta):
        abstract = False
        verbose_name = _("history")
        verbose_name_plural = _("histories")
        constraints = [
            *LeasedWork.Meta.constraints,
            models.CheckConstraint(
                condition=Q(from_ms__lt=F("to_ms"), cursor_ms__gte=F("from_ms"), cursor_ms__lte=F("to_ms")),
                name="backfill_cursor_is_inside",
            ),
        ]
        indexes = [
            *LeasedWork.Meta.indexes,
            models.Index(fields=["series", "state"], name="backfill_by_series"),
        ]

    @property
    def title(self) -> str:
        """What is fetched, in words."""
        return str(_("History of %(series)s") % {"series": str(self.series)})


class MarketSummary(models.Model):
    """What a list of markets shows of an instrument besides its live price; made anew for all at once."""

    instrument = models.OneToOneField(
        Instrument, primary_key=True, on_delete=models.CASCADE, related_name="summary", verbose_name=_("instrument")
    )
    closes = ArrayField(models.FloatField(), default=list, verbose_name=_("hourly closes of seven days"))
    first_ts = models.BigIntegerField(_("open time of the first of them, in ms"), null=True, blank=True)
    series_version = models.BigIntegerField(_("made from this state of the hours"), default=-1)
    price_1h_ago = models.FloatField(_("price an hour ago"), null=True, blank=True)
    price_24h_ago = models.FloatField(_("price a day ago"), null=True, blank=True)
    price_7d_ago = models.FloatField(_("price seven days ago"), null=True, blank=True)
    at = models.DateTimeField(_("made"), default=clock_now)

    class Meta:
        verbose_name = _("market summary")
        verbose_name_plural = _("market summaries")

    def __str__(self) -> str:
        return str(self.instrument)
