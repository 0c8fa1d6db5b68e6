"""Long-lived work as a row: a state, a lease with a fence, a next attempt. The broker only wakes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now as clock_now
from apps.core.ids import uuid7


class WorkState(models.TextChoices):
    """Where a piece of work stands."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    WAITING = "waiting", _("waiting to try again")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    PARKED = "parked", _("parked")
    CANCELLED = "cancelled", _("cancelled")


OPEN_STATES = (WorkState.QUEUED, WorkState.RUNNING, WorkState.WAITING)
CLAIMABLE_STATES = (WorkState.QUEUED, WorkState.WAITING)
OVER_STATES = (WorkState.SUCCEEDED, WorkState.FAILED, WorkState.PARKED, WorkState.CANCELLED)


class WorkQuerySet(models.QuerySet[Any]):
    """The words in which work is asked for."""

    def for_user(self, user: Any) -> Self:  # noqa: ANN401 - the kernel does not know the user model
        """Keep the person's own work."""
        return self.filter(owner=user)

    def open(self) -> Self:
        """Keep what is not over."""
        return self.filter(state__in=OPEN_STATES)

    def over(self) -> Self:
        """Keep what will not run again by itself."""
        return self.filter(state__in=OVER_STATES)

    def due(self, now: datetime) -> Self:
        """Keep what may be claimed now."""
        return self.filter(state__in=CLAIMABLE_STATES, next_attempt_at__lte=now)

    def lapsed(self, now: datetime) -> Self:
        """Keep what is held by a worker that has not been heard of since its lease ran out."""
        return self.filter(state=WorkState.RUNNING, lease_until__lt=now)

    def unheard(self, now: datetime, *, after: timedelta) -> Self:
        """Keep what is due but was last woken so long ago that the message must be lost."""
        return self.due(now).filter(Q(woken_at=None) | Q(woken_at__lt=now - after))

    def in_turn(self) -> Self:
        """Order as work is taken: what has been due longest first."""
        return self.order_by("next_attempt_at", "id")

    def held(self, *, work_id: Any, fence: int) -> Self:  # noqa: ANN401 - ids are UUIDs here, but a table may differ
        """Keep the row if it is still held under this fence."""
        return self.filter(pk=work_id, fence=fence, state=WorkState.RUNNING)


class LeasedWork(models.Model):
    """What every table of long work has. Only `core.jobs` changes these columns."""

    kind: ClassVar[str] = ""
    queue: ClassVar[str] = "default"
    task: ClassVar[str] = ""
    retry_limit: ClassVar[int] = 8
    retry_base_seconds: ClassVar[float] = 5.0

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("owner"),
    )
    state = models.CharField(_("state"), max_length=12, choices=WorkState.choices, default=WorkState.QUEUED)
    next_attempt_at = models.DateTimeField(_("next attempt at"), default=clock_now)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    leased_by = models.CharField(_("leased by"), max_length=120, blank=True, default="")
    fence = models.PositiveBigIntegerField(_("fence"), default=0)
    attempts = models.PositiveSmallIntegerField(_("crashes since the last step done"), default=0)
    max_attempts = models.PositiveSmallIntegerField(_("crashes before it is parked"), default=3)
    retries = models.PositiveSmallIntegerField(_("tries again since the last step done"), default=0)
    progress = models.DecimalField(_("progress"), max_digits=5, decimal_places=4, default=Decimal(0))
    progress_note = models.CharField(_("progress note"), max_length=200, blank=True, default="")
    problem_code = models.CharField(_("problem code"), max_length=64, blank=True, default="")
    problem_detail = models.TextField(_("problem"), blank=True, default="")
    request_id = models.CharField(_("request id"), max_length=64, blank=True, default="")
    created_at = models.DateTimeField(_("created at"), default=clock_now, editable=False)
    woken_at = models.DateTimeField(_("woken at"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = WorkQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(progress__gte=0, progress__lte=1), name="%(app_label)s_%(class)s_progress_is_a_fraction"
            ),
            models.CheckConstraint(
                condition=Q(state__in=WorkState.values), name="%(app_label)s_%(class)s_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state=WorkState.RUNNING, lease_until__isnull=False)
                | (~Q(state=WorkState.RUNNING) & Q(lease_until__isnull=True)),
                name="%(app_label)s_%(class)s_running_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OVER_STATES, finished_at__isnull=False)
                | (~Q(state__in=OVER_STATES) & Q(finished_at__isnull=True)),
                name="%(app_label)s_%(class)s_over_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(attempts__lte=F("max_attempts")), name="%(app_label)s_%(class)s_attempts_end"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"], name="%(class)s_due", condition=Q(state__in=CLAIMABLE_STATES)
            ),
            models.Index(fields=["lease_until"], name="%(class)s_lapsed", condition=Q(state=WorkState.RUNNING)),
            models.Index(fields=["owner", "-id"], name="%(class)s_owner"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What a person calls this piece of work; a table says it in its own words."""
        return str(self._meta.verbose_name)

    @property
    def is_over(self) -> bool:
        """Whether the work will not run again by itself."""
        return self.state in OVER_STATES

    @classmethod
    def rows(cls) -> WorkQuerySet:
        """Return all rows of the table, to ask in the words above."""
        return cls._default_manager.all()

    @classmethod
    def task_name(cls) -> str:
        """Return the name of the task that takes this kind of work up."""
        return cls.task or f"{cls._meta.app_label}.run_{cls.kind}"

    def take(self, *, worker: str, until: datetime, now: datetime) -> None:
        """Become the work of one worker, under the next fence."""
        self.state = WorkState.RUNNING
        self.leased_by, self.lease_until, self.fence = worker[:120], until, self.fence + 1
        self.started_at = self.started_at or now

    def put_back(self, *, state: WorkState, at: datetime) -> None:
        """Become free to be claimed from a moment on; whoever held it is fenced out."""
        self.state, self.next_attempt_at = state, at
        self.leased_by, self.lease_until, self.fence = "", None, self.fence + 1
        self.finished_at = self.woken_at = None

    def end(self, *, state: WorkState, now: datetime) -> None:
        """Be over; whoever held it is fenced out."""
        self.state, self.finished_at = state, now
        self.leased_by, self.lease_until, self.fence = "", None, self.fence + 1
        if state == WorkState.SUCCEEDED:
            self.progress, self.problem_code, self.problem_detail = Decimal(1), "", ""

    def count_crash(self, *, now: datetime) -> None:
        """Note that a worker stopped over this work: queued once more, or parked when it was too often."""
        self.attempts += 1
        if self.attempts >= self.max_attempts:
            self.end(state=WorkState.PARKED, now=now)
            self.problem_code = "parked"
            self.problem_detail = str(
                _("This work stopped its worker %(times)d times in a row, so it is not tried again by itself.")
                % {"times": self.attempts}
            )
        else:
            self.put_back(state=WorkState.QUEUED, at=now)
