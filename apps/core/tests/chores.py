"""A table of long work for tests only: its app label belongs to no app, so no migration and no other test sees it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from apps.core.models.work import LeasedWork, WorkQuerySet


class Chore(LeasedWork):
    """Something to do, with a trail of what was done."""

    kind: ClassVar[str] = "chore"
    task: ClassVar[str] = "core_tests.run_chore"
    retry_base_seconds: ClassVar[float] = 10.0

    # no constraint in the database: emptying the users' table after a test must not meet this one
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    cursor = models.IntegerField(default=0)
    objects = WorkQuerySet.as_manager()

    class Meta(LeasedWork.Meta):
        app_label = "core_tests"
        verbose_name = "chore"


class Effect(models.Model):
    """One effect of a chore; the same one twice would be a second row."""

    chore_id = models.UUIDField()
    page = models.IntegerField()
    worker = models.CharField(max_length=120)

    objects: ClassVar[models.Manager[Effect]] = models.Manager()

    class Meta:
        app_label = "core_tests"
