"""Deletes what nobody needs any more."""

from datetime import datetime, timedelta

from django.contrib.sessions.models import Session

from apps.accounts.actions.attempts import forget_old_attempts
from apps.accounts.actions.ceremonies import forget_old_ceremonies
from apps.accounts.models import Letter, RefreshFamily

KEEP_ENDED = timedelta(days=30)


def tidy(*, now: datetime) -> None:
    """Delete old tries, unfinished ceremonies, expired sessions, and mails and families that are long over."""
    forget_old_attempts(now=now)
    forget_old_ceremonies(now=now)
    Session.objects.filter(expire_date__lt=now).delete()
    Letter.objects.over().filter(finished_at__lt=now - KEEP_ENDED).delete()
    RefreshFamily.objects.filter(expires_at__lt=now - KEEP_ENDED).delete()
    RefreshFamily.objects.filter(ended_at__lt=now - KEEP_ENDED).delete()
