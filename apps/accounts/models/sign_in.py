"""Rows around the door: wrong tries, half-finished sign-ins, invites."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.people import RUNS_INSTANCE, Role, User
from apps.core.ids import uuid7


class FailedAttempt(models.Model):
    """One wrong try, under the hash of what it is counted by (an account, an address, a known device)."""

    bucket = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("wrong try")
        verbose_name_plural = _("wrong tries")
        indexes = [models.Index(fields=["bucket", "at"], name="failed_attempt_bucket")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"


class CeremonyKind(models.TextChoices):
    """What is being finished."""

    SECOND_FACTOR = "second_factor", _("Second factor")
    PASSKEY_SIGN_IN = "passkey_sign_in", _("Sign-in with a passkey")
    PASSKEY_NEW = "passkey_new", _("New passkey")
    TOTP_NEW = "totp_new", _("New authenticator app")


class Ceremony(models.Model):
    """Something that takes two requests; the second one shows the ticket whose hash is stored here, once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=16, choices=CeremonyKind.choices)
    ticket_hash = models.CharField(max_length=64, unique=True, editable=False)
    state = models.TextField(editable=False, blank=True)
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("half-finished sign-in")
        verbose_name_plural = _("half-finished sign-ins")
        indexes = [models.Index(fields=["expires_at"], name="ceremony_expires")]

    def __str__(self) -> str:
        return self.get_kind_display()


class InviteQuerySet(models.QuerySet["Invite"]):
    """The words in which invites are asked for."""

    def open(self, *, now: datetime) -> InviteQuerySet:
        """Keep what can still be used: an invite is worth no more than what its maker may do by now."""
        unused = self.filter(used_at=None, revoked_at=None, expires_at__gt=now)
        of_staff = unused.filter(created_by__is_active=True, created_by__role__in=RUNS_INSTANCE)
        return of_staff.filter(~models.Q(role=Role.ADMIN) | models.Q(created_by__role=Role.OWNER))


class Invite(models.Model):
    """A link with which one person may register."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.MEMBER)
    note = models.CharField(_("note"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("used"), null=True)
    used_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    objects = InviteQuerySet.as_manager()

    class Meta:
        verbose_name = _("invite")
        verbose_name_plural = _("invites")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=[Role.ADMIN, Role.MEMBER, Role.VIEWER]), name="invite_role_allowed"
            ),
        ]

    def __str__(self) -> str:
        return self.note or str(self.id)
