"""The audit log: what was done, by whom, to whom. Rows are added; a trigger refuses every other change."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.people import User
from apps.core.ids import uuid7


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """The words in which the log is asked for."""

    def for_user(self, user: User) -> AuditQuerySet:
        """Keep what the person did and what was done to their account."""
        return self.filter(models.Q(actor=user) | models.Q(subject=user))


class AuditEntry(models.Model):
    """One security-relevant act. It holds no secret and no address of a person, so it may outlive an account."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(_("at"))
    action = models.CharField(_("action"), max_length=64)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("by"))
    subject = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("about"))
    target = models.CharField(_("target"), max_length=200, blank=True)
    detail = models.JSONField(_("detail"), default=dict)
    network_address = models.CharField(_("network address"), max_length=45, blank=True)
    device = models.CharField(_("device"), max_length=200, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["subject", "-id"], name="audit_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}".strip()
