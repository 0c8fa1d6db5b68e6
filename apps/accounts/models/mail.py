"""Mails to be sent: pieces of leased work, so that none is lost and none shows by its time who has an account."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.people import User
from apps.core.models import LeasedWork


class Letter(LeasedWork):
    """One mail. It names what to write about; links and words are made when it is sent, and stored nowhere."""

    kind: ClassVar[str] = "letter"
    queue: ClassVar[str] = "notify"

    about = models.CharField(_("about"), max_length=24)
    notice = models.CharField(_("notice"), max_length=40, blank=True)
    person = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("to"))
    address = models.EmailField(_("address"))
    network_address = models.CharField(_("network address"), max_length=45, blank=True)
    device = models.CharField(_("device"), max_length=200, blank=True)

    class Meta(LeasedWork.Meta):
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
