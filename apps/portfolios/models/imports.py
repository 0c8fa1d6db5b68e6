"""Imports of files: what a file says stands as a preview until its owner commits it, and can be undone after."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import now
from apps.core.ids import uuid7
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
