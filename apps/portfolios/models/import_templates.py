"""How a person's files are read: choices kept under a name, for the next file of the same kind."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.portfolios.domain.importing import Choices, parse_mapping

LONGEST_NAME = 80


class ImportTemplateQuerySet(models.QuerySet["ImportTemplate"]):
    """The words in which templates are asked for."""

    def for_user(self, user: User) -> ImportTemplateQuerySet:
        """Keep the person's own."""
        return self.filter(owner=user)


class ImportTemplate(models.Model):
    """Format, account, columns and styles of a kind of file, and the head line by which such a file is known."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="import_templates", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    format = models.CharField(_("format"), max_length=32)
    account_name = models.CharField(_("account"), max_length=80, blank=True)
    mapping = models.JSONField(_("mapping"), default=dict)
    head = models.JSONField(_("columns of the file"), default=list)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    objects = ImportTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("import template")
        verbose_name_plural = _("import templates")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="import_template_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="import_template_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def choices(self) -> Choices:
        """Return how it reads a file."""
        return Choices(self.format, self.account_name, parse_mapping(self.mapping))
