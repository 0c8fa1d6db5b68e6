"""Transfers as their page shows them: what waits for its other side, what that may be, and what is matched."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.portfolios.models import AddressAnswer, Portfolio, Transaction
from apps.portfolios.models.matching import TransferMatch
from apps.portfolios.queries.addresses import AskedAddress, answers_of, asked_addresses
from apps.portfolios.queries.matching import as_leg, legs_to_match, matches_of, proposals_for

MOST_WAITING: Final = 200
MOST_MATCHED: Final = 50
MOST_ASKED: Final = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a transfer may have arrived as, or come from, and why."""

    out: Transaction
    arrived: tuple[Transaction, ...]
    score: int
    reasons: tuple[str, ...]

    @property
    def lost(self) -> Decimal:
        """Return what was sent and did not arrive."""
        came = sum((as_leg(row=one).amount for one in self.arrived), Decimal(0))
        return as_leg(row=self.out).amount - came


@dataclass(frozen=True, slots=True)
class MatchedTransfer:
    """A transfer whose sides are put together."""

    match: TransferMatch
    arrived: tuple[Transaction, ...]


@dataclass(frozen=True, slots=True)
class TransferPage:
    """What waits, what may be a pair, and what is matched."""

    pairs: tuple[Candidate, ...]
    waiting: tuple[Transaction, ...]
    matched: tuple[MatchedTransfer, ...]
    asked: tuple[AskedAddress, ...]
    answers: tuple[AddressAnswer, ...]
    accounts: tuple[str, ...]


def transfer_page(*, portfolio: Portfolio) -> TransferPage:
    """Return the transfers of a portfolio as their page shows them."""
    rows = {str(row.pk): row for row in legs_to_match(portfolio=portfolio)[:MOST_WAITING]}
    for row in rows.values():
        row.portfolio = portfolio
    pairs = [
        Candidate(rows[one.out], tuple(rows[leg] for leg in one.arrived), one.score, tuple(map(str, one.reasons)))
        for one in proposals_for(portfolio=portfolio)
        if {one.out, *one.arrived} <= rows.keys()
    ]
    proposed = {leg.pk for pair in pairs for leg in (pair.out, *pair.arrived)}
    waiting = [row for row in rows.values() if row.pk not in proposed]
    return TransferPage(
        pairs=tuple(pairs),
        waiting=tuple(waiting),
        matched=tuple(_matched(matches_of(portfolio=portfolio)[:MOST_MATCHED], portfolio)),
        asked=tuple(one for one in asked_addresses(portfolio=portfolio) if one.applies_to)[:MOST_ASKED],
        answers=tuple(answers_of(portfolio=portfolio)[:MOST_ASKED]),
        accounts=tuple(portfolio.accounts.order_by("name").values_list("name", flat=True)),
    )


def _matched(matches: Iterable[TransferMatch], portfolio: Portfolio) -> Iterable[MatchedTransfer]:
    for match in matches:
        arrived = tuple(one.transaction for one in match.arrivals.all())
        for row in (match.out, *arrived):
            row.portfolio = portfolio
        yield MatchedTransfer(match, arrived)
