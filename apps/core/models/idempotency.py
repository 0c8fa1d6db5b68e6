"""Idempotency keys: what a repeated POST is answered with."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

KEPT = timedelta(hours=24)
IN_FLIGHT = timedelta(seconds=60)


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """The words in which keys are asked for."""

    def forgettable(self, *, now: datetime) -> "IdempotencyKeyQuerySet":
        """Keep those older than a day."""
        return self.filter(created_at__lt=now - KEPT)


class IdempotencyKey(models.Model):
    """One key of one caller on one path; first in flight, then with the stored answer."""

    lookup = models.CharField(primary_key=True, max_length=64, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(_("path"), max_length=300)
    fingerprint = models.CharField(_("hash of the body"), max_length=64, editable=False)
    claim = models.UUIDField(_("who is answering"), editable=False)
    claimed_until = models.DateTimeField(_("in flight until"))
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    answer = models.BinaryField(_("answer"), null=True, editable=False)
    is_sealed = models.BooleanField(_("sealed"), default=False)
    created_at = models.DateTimeField(_("created"))

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__isnull=True, answer__isnull=True)
                | models.Q(status__isnull=False, answer__isnull=False),
                name="idempotency_answer_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.path

    def is_over(self, *, now: datetime) -> bool:
        """Tell whether the key is a day old and means nothing any more."""
        return self.created_at < now - KEPT
