"""Links by which somebody without an account sees a portfolio or a tax year."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import AuditEntry, Role, User
from apps.core.ids import uuid7
from apps.portfolios.domain.sharing import ShareContent, SharePurpose
from apps.portfolios.models.portfolios import of_portfolio

PURPOSES = [
    (SharePurpose.PORTFOLIO.value, _("The portfolio")),
    (SharePurpose.TAX_YEAR.value, _("One tax year")),
]
CONTENTS = [
    (ShareContent.PERCENTAGES.value, _("Percentages only")),
    (ShareContent.FULL.value, _("Everything, amounts included")),
]


def may_share(*, user: User) -> bool:
    """Tell whether a person may give anything out: viewers only look."""
    return user.role != Role.VIEWER


def ended_with_owner() -> Exists:
    """Ask whether its owner was kept out after a link was made: that ends it for good, as it ends their tokens."""
    kept_out = AuditEntry.objects.filter(action="person.deactivated", subject=OuterRef("portfolio__owner"))
    return Exists(kept_out.filter(at__gte=OuterRef("created_at")))


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    """The words in which links are asked for."""

    def for_user(self, user: User) -> ShareLinkQuerySet:
        """Keep those to the person's own portfolios."""
        return self.filter(portfolio__owner=user)

    def live(self, *, now: datetime) -> ShareLinkQuerySet:
        """Keep those that were not revoked, are not over, and whose owner was not kept out since."""
        return self.filter(~ended_with_owner(), revoked_at=None, expires_at__gt=now)

    def opening(self, *, now: datetime) -> ShareLinkQuerySet:
        """Keep those that open: live ones of owners who are let in and may share."""
        sharers = Q(portfolio__owner__is_active=True) & ~Q(portfolio__owner__role=Role.VIEWER)
        return self.live(now=now).filter(sharers)


class ShareLink(models.Model):
    """A link to one thing; only a fingerprint of its secret and its purpose is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    portfolio = of_portfolio("share_links")
    purpose = models.CharField(_("opens"), max_length=12, choices=PURPOSES)
    year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    shows = models.CharField(_("shows"), max_length=12, choices=CONTENTS)
    name = models.CharField(_("name"), max_length=80, blank=True)
    fingerprint = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    first_opened_at = models.DateTimeField(_("first opened"), null=True, blank=True)
    last_opened_at = models.DateTimeField(_("last opened"), null=True, blank=True)
    opened = models.PositiveIntegerField(_("times opened"), default=0)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=[code for code, _word in PURPOSES]), name="share_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(shows__in=[code for code, _word in CONTENTS]), name="share_content_is_known"
            ),
            models.CheckConstraint(
                condition=Q(purpose=SharePurpose.TAX_YEAR.value, year__isnull=False)
                | Q(purpose=SharePurpose.PORTFOLIO.value, year__isnull=True),
                name="share_year_goes_with_purpose",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="share_ends_after_it_begins"),
            models.CheckConstraint(condition=Q(fingerprint__regex=r"^[0-9a-f]{64}$"), name="share_keeps_a_hash"),
        ]
        indexes = [models.Index(fields=["portfolio", "-id"], name="share_newest")]

    def __str__(self) -> str:
        return self.name or f"{self.purpose} {self.year or ''}".strip()

    @property
    def is_full(self) -> bool:
        """Tell whether amounts are shown."""
        return self.shows == ShareContent.FULL
