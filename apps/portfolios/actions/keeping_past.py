"""Keeping the past: days that were lived through are written down, so that only what changed is lived again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from apps.portfolios.models import HistoryBlock, HistoryCourse, Portfolio
from apps.portfolios.queries.courses import Course, course_of, packed_days, packed_standing, written_ways


def keep_past(*, portfolio: Portfolio, now: datetime) -> Course:
    """Return the days of a ledger up to yesterday, and keep those that are new."""
    course = course_of(portfolio=portfolio, now=now)
    if course.is_kept or not course.assets:
        return course
    facts = {
        "base": course.base,
        "ledger": course.ledger,
        "markets": course.markets,
        "last_day": course.last_day,
        "assets": list(course.assets),
        "ways": written_ways(course=course),
        "made_at": now,
    }
    with transaction.atomic():
        HistoryCourse.objects.get_or_create(portfolio=portfolio, defaults=facts)
        row = HistoryCourse.objects.select_for_update().get(portfolio=portfolio)
        if row.revision != course.revision:
            return course  # another process was quicker; what it has kept is checked by the next reader
        _write(course)
        for name, value in facts.items():
            setattr(row, name, value)
        row.revision += 1
        row.save()
    return replace(course, revision=row.revision)


def _write(course: Course) -> None:
    """Put the new days in place of those that do not hold any more."""
    standing = [stretch.row for stretch in course.stretches if stretch.row is not None]
    HistoryBlock.objects.filter(portfolio=course.portfolio).exclude(pk__in=standing).delete()
    HistoryBlock.objects.bulk_create(
        [
            HistoryBlock(
                portfolio=course.portfolio,
                first_day=stretch.first_day,
                last_day=stretch.last_day,
                days=packed_days(stretch=stretch),
                standing=packed_standing(stretch=stretch),
            )
            for stretch in course.stretches
            if stretch.row is None
        ]
    )
