"""Watchlists: a person's own choice of instruments, in their order, with notes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import now
from apps.core.ids import uuid7


class WatchlistQuerySet(models.QuerySet["Watchlist"]):
    """The words in which watchlists are asked for."""

    def for_user(self, user: User) -> WatchlistQuerySet:
        """Keep the person's own."""
        return self.filter(owner=user)

    def in_order(self) -> WatchlistQuerySet:
        """Order as the person arranged them."""
        return self.order_by("position", "id")


class Watchlist(models.Model):
    """A named list of instruments of one person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watchlists", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = WatchlistQuerySet.as_manager()

    class Meta:
        verbose_name = _("watchlist")
        verbose_name_plural = _("watchlists")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="watchlist_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="watchlist_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class WatchlistItemQuerySet(models.QuerySet["WatchlistItem"]):
    """The words in which items are asked for."""

    def for_user(self, user: User) -> WatchlistItemQuerySet:
        """Keep what stands on the person's own lists."""
        return self.filter(watchlist__owner=user)

    def in_order(self) -> WatchlistItemQuerySet:
        """Order as the person arranged them."""
        return self.order_by("position", "id")


class WatchlistItem(models.Model):
    """One instrument on a list, by its name: it stays when the instrument vanishes or the world changes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    watchlist = models.ForeignKey(
        Watchlist, on_delete=models.CASCADE, related_name="items", verbose_name=_("watchlist")
    )
    instrument = models.CharField(_("instrument"), max_length=82)
    note = models.CharField(_("note"), max_length=500, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(_("added"), default=now, editable=False)

    objects = WatchlistItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("watchlist item")
        verbose_name_plural = _("watchlist items")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["watchlist", "instrument"], name="watchlist_item_once"),
        ]

    def __str__(self) -> str:
        return self.instrument
