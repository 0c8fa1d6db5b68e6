"""What a stretch of booking found missing or could not book, in numbers that add up over stretches."""

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from apps.portfolios.domain.booking import Booking, Problem, Shortfall
from apps.portfolios.domain.completeness import Issue, IssueCode
from apps.portfolios.domain.held import Held, held


class Faults(NamedTuple):
    """Acquisitions that are missing, lines that were not booked, and the assets of which something is missing."""

    short: int = 0
    unbooked: int = 0
    explained: frozenset[str] = frozenset()


def faults_of(shortfalls: Iterable[Shortfall], problems: Iterable[Problem], *, legs: Container[str]) -> Faults:
    """Count what went wrong; that the coins of a transfer in `legs`, from or to outside, are not found did not."""
    short = {(one.tx, one.asset) for one in shortfalls if one.tx not in legs}
    unbooked = {one.tx for one in problems if one.code != IssueCode.MISSING_ACQUISITION}
    return Faults(len(short), len(unbooked), frozenset(asset for _tx, asset in short))


def together(first: Faults, then: Faults) -> Faults:
    """Add up two stretches of different lines."""
    return Faults(first.short + then.short, first.unbooked + then.unbooked, first.explained | then.explained)


def booking_issues(booking: Booking, *, legs: Container[str] = ()) -> list[Issue]:
    """Return what a booking found missing: acquisitions, lines that were not booked, balances below zero."""
    return issues_of(faults_of(booking.shortfalls, booking.problems, legs=legs), holdings=held(booking))


def issues_of(faults: Faults, *, holdings: Sequence[Held]) -> list[Issue]:
    """Return it as issues, with the balances below zero that no missing acquisition explains."""
    below = [one for one in holdings if one.amount < 0 and one.asset not in faults.explained]
    return [
        Issue(IssueCode.MISSING_ACQUISITION, faults.short),
        Issue(IssueCode.UNBOOKED_ENTRY, faults.unbooked),
        Issue(IssueCode.NEGATIVE_BALANCE, len(below)),
    ]
