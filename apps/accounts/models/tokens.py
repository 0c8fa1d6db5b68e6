"""What programs sign in with: families of refresh tokens, and personal access tokens."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.people import User
from apps.core.ids import uuid7


class RefreshFamilyQuerySet(models.QuerySet["RefreshFamily"]):
    """The words in which families are asked for."""

    def for_user(self, user: User) -> RefreshFamilyQuerySet:
        return self.filter(user=user)

    def open(self, *, now: datetime) -> RefreshFamilyQuerySet:
        return self.filter(ended_at=None, expires_at__gt=now)


class RefreshFamily(models.Model):
    """One sign-in of a program: all tokens that came from it. Once ended, none of them is accepted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refresh_families")
    live_token = models.UUIDField(_("id of the refresh token that is not spent"), editable=False)
    network_address = models.CharField(_("network address"), max_length=45, blank=True)
    device = models.CharField(_("device"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"))
    authenticated_at = models.DateTimeField(_("last proof of identity"))
    last_used_at = models.DateTimeField(_("last used"))
    expires_at = models.DateTimeField(_("expires"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    end_reason = models.CharField(_("reason of the end"), max_length=32, blank=True)

    objects = RefreshFamilyQuerySet.as_manager()

    class Meta:
        verbose_name = _("program session")
        verbose_name_plural = _("program sessions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.device or str(self.id)


class PersonalTokenQuerySet(models.QuerySet["PersonalToken"]):
    """The words in which personal tokens are asked for."""

    def for_user(self, user: User) -> PersonalTokenQuerySet:
        return self.filter(user=user)

    def kept(self) -> PersonalTokenQuerySet:
        return self.filter(revoked_at=None)


class PersonalToken(models.Model):
    """A named, scoped, expiring token that a person made; only the hash of its secret is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="personal_tokens")
    name = models.CharField(_("name"), max_length=80)
    scopes = models.CharField(_("scopes"), max_length=32)
    lookup = models.CharField(_("first characters"), max_length=16, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    objects = PersonalTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("personal token")
        verbose_name_plural = _("personal tokens")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scopes__regex=r"^(read|write|admin)( (read|write|admin))*$"),
                name="personal_token_scopes_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name
