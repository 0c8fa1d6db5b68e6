"""Imports of files: what a file says stands as a preview until its owner commits it, and can be undone after."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.core.models import LeasedWork
from apps.core.models.work import OPEN_STATES
from apps.portfolios.models.portfolios import Batch, BatchState, of_portfolio


class FileImportQuerySet(models.QuerySet["FileImport"]):
    """The words in which imports are asked for."""

    def for_user(self, user: User) -> FileImportQuerySet:
        """Keep those into the person's own portfolios."""
        return self.filter(portfolio__owner=user)


class FileImport(models.Model):
    """One file: how it was read, what it would change, its bad lines by number, and the batch it became."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("imports")
    batch = models.ForeignKey(
        Batch, null=True, blank=True, on_delete=models.DO_NOTHING, related_name="imports", verbose_name=_("batch")
    )
    state = models.CharField(_("state"), max_length=9, choices=BatchState.choices, default=BatchState.PREVIEW)
    format = models.CharField(_("format"), max_length=32)
    title = models.CharField(_("layout"), max_length=120, blank=True)
    file_name = models.CharField(_("file name"), max_length=200, blank=True)
    file_hash = models.CharField(_("hash of the file"), max_length=64)
    account_name = models.CharField(_("account"), max_length=80, blank=True)
    mapping = models.JSONField(_("mapping"), default=dict)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    new = models.PositiveIntegerField(_("new"), default=0)
    duplicates = models.PositiveIntegerField(_("known already"), default=0)
    error_count = models.PositiveIntegerField(_("bad lines"), default=0)
    errors = models.JSONField(_("bad lines with reasons"), default=list)
    notes = models.JSONField(_("lines that need no entry"), default=dict)
    effect = models.JSONField(_("effect"), default=dict)
    head = models.JSONField(_("columns of the file"), default=list)
    rules = models.JSONField(_("rules of booking in the file"), null=True, blank=True, default=None)
    former_rules = models.JSONField(_("rules that those took the place of"), null=True, blank=True, default=None)
    posted = models.PositiveIntegerField(_("posted"), default=0)
    drafts = models.BinaryField(_("drafts"), default=bytes)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = FileImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=BatchState.values), name="import_state_is_known"),
        ]
        indexes = [models.Index(fields=["portfolio", "-id"], name="import_newest")]

    def __str__(self) -> str:
        return self.file_name or self.format

    @property
    def newest_work(self) -> ImportWork | None:
        """Return what is being done with it, or was done last, where that took a worker."""
        return max(self.works.all(), key=lambda work: work.pk, default=None)

    @property
    def open_work(self) -> ImportWork | None:
        """Return what is being done with it now."""
        work = self.newest_work
        return None if work is None or work.is_over else work

    @property
    def standing(self) -> str:
        """Return where it stands: what a worker does with it, else its batch, which may have been undone by itself."""
        if (work := self.open_work) is not None:
            return "committing" if work.verb == ImportVerb.COMMIT else "undoing"
        return str(self.batch.state if self.batch is not None else self.state)


class ImportVerb(models.TextChoices):
    """What is done with a large import."""

    COMMIT = "commit", _("Book")
    UNDO = "undo", _("Undo")


class ImportWork(LeasedWork):
    """Booking or undoing a large import: one transaction, so that whoever takes it over begins anew."""

    kind: ClassVar[str] = "import"

    file_import = models.ForeignKey(
        FileImport,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="works",
        verbose_name=_("import"),
    )
    verb = models.CharField(_("what is done"), max_length=6, choices=ImportVerb.choices, default=ImportVerb.COMMIT)
    skip_errors = models.BooleanField(_("without its bad lines"), default=False)
    with_policy = models.BooleanField(_("with the rules of the file"), default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)

    class Meta(LeasedWork.Meta):
        abstract = False
        verbose_name = _("work on an import")
        verbose_name_plural = _("work on imports")
        constraints = [
            *LeasedWork.Meta.constraints,
            models.CheckConstraint(condition=Q(verb__in=ImportVerb.values), name="import_work_verb_is_known"),
            models.UniqueConstraint(
                fields=["file_import"], condition=Q(state__in=OPEN_STATES), name="import_work_one_at_once"
            ),
        ]

    @property
    def title(self) -> str:
        """What is imported or undone, in words."""
        said = _("Import of %(name)s") if self.verb == ImportVerb.COMMIT else _("Undoing the import of %(name)s")
        return str(said % {"name": self.name})
