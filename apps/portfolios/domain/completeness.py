"""How complete a total is: what is known to be missing, each kind counted, and one score of it all."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Final

_SCORE_DIGITS: Final = Decimal("0.0001")
_WHOLE: Final = Decimal(1)


class IssueCode(StrEnum):
    """What can be missing."""

    MISSING_ACQUISITION = "missing_acquisition"
    UNMATCHED_TRANSFER = "unmatched_transfer"
    UNBOOKED_ENTRY = "unbooked_entry"
    UNPRICED_ENTRY = "unpriced_entry"
    PENDING_ENTRY = "pending_entry"
    NEGATIVE_BALANCE = "negative_balance"
    UNPRICED_HOLDING = "unpriced_holding"
    PENDING_HOLDING = "pending_holding"
    UNPRICED_DAY = "unpriced_day"
    STALE_PRICE = "stale_price"
    SIMULATED_PRICE = "simulated_price"
    BALANCE_DIFFERS = "balance_differs"
    SYNC_GAP = "sync_gap"
    FROZEN_YEAR_DIFFERS = "frozen_year_differs"


#: What is said, but lowers no score: the figures are whole, only their source is worth knowing.
_REMARKS: Final = frozenset({IssueCode.SIMULATED_PRICE})


@dataclass(frozen=True, slots=True)
class Issue:
    """So many of one kind; `amount` is what they are worth in the money of account, where that can be said."""

    code: IssueCode
    count: int
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Completeness:
    """The share of all facts that nothing is wrong with, and what is wrong with the others."""

    score: Decimal
    issues: tuple[Issue, ...]


def completeness(issues: Iterable[Issue], *, facts: int) -> Completeness:
    """Weigh the issues against the number of entries and holdings; only without an issue the score is 1."""
    found = tuple(issue for issue in issues if issue.count > 0)
    faults = sum(issue.count for issue in found if issue.code not in _REMARKS)
    if not faults:
        return Completeness(_WHOLE, found)
    share = Decimal(max(0, facts - faults)) / Decimal(max(facts, faults))
    return Completeness(share.quantize(_SCORE_DIGITS, rounding=ROUND_FLOOR), found)
