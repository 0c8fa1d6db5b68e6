"""The entries of a ledger from a day on, without reading what came before."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Q

from apps.portfolios.domain.history import DAY_US
from apps.portfolios.domain.matching import merged
from apps.portfolios.domain.transactions import Entry
from apps.portfolios.models import Portfolio, Transaction, TransferArrival, TransferMatch
from apps.portfolios.queries.ledger import entries_of

_SECOND_US: Final = 1_000_000


def entries_since(*, portfolio: Portfolio, day: int, now: datetime) -> list[Entry]:
    """Return all that counts from a day on and has happened by now, days counted from 1970-01-01.

    Sides of matched transfers are read wherever they lie, so that a transfer is whole; it belongs to its first side.
    """
    start = datetime.fromtimestamp(day * DAY_US // _SECOND_US, UTC)
    pairs = _pairs(portfolio, start)
    asked = Q(at__gte=start, at__lte=now)
    if pairs:
        asked |= Q(match__in=pairs) | Q(arrival__match__in=pairs)
    rows = Transaction.objects.filter(asked, portfolio=portfolio).standing()
    entries = merged(entries_of(portfolio=portfolio, rows=rows), _matches(pairs))
    return [entry for entry in entries if entry.at_us >= day * DAY_US]


def _pairs(portfolio: Portfolio, start: datetime) -> set[UUID]:
    """Return the matches of which any side lies at or after a moment."""
    outs = TransferMatch.objects.filter(portfolio=portfolio, out__at__gte=start)
    arrivals = TransferArrival.objects.filter(match__portfolio=portfolio, transaction__at__gte=start)
    return {*outs.values_list("pk", flat=True), *arrivals.values_list("match", flat=True)}


def _matches(pairs: set[UUID]) -> dict[str, tuple[tuple[str, ...], Decimal | None]]:
    """Return for what left what it arrived as, and what the lost part was worth."""
    arrived: defaultdict[UUID, list[str]] = defaultdict(list)
    arrivals = TransferArrival.objects.filter(match__in=pairs).order_by("transaction")
    for match, one in arrivals.values_list("match_id", "transaction_id"):
        arrived[match].append(str(one))
    outs = TransferMatch.objects.filter(pk__in=pairs).values_list("pk", "out_id", "fee_value")
    return {str(out): (tuple(arrived[match]), worth) for match, out, worth in outs}
