"""The chart of one asset: its price of every day since shortly before it was held, and what was done with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from apps.markets.domain.instruments import InstrumentName
from apps.markets.queries import daily_rates
from apps.portfolios.domain.history import day_of
from apps.portfolios.domain.holding_story import HoldingStory, holding_story
from apps.portfolios.domain.timeline import Timeline
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.ledger import ledger_entries
from apps.portfolios.queries.portfolios import timeline_of
from apps.portfolios.queries.pricing import prices_of

DAY_SECONDS: Final = 86_400
#: Days shown before the first entry, so that the first mark does not stand at the edge.
_BEFORE: Final = 30


@dataclass(frozen=True, slots=True)
class HoldingChart:
    """The days of a chart; `wanted` names the markets whose days are missing, with the first day that misses them."""

    prices: tuple[tuple[int, Decimal], ...]
    story: HoldingStory
    entries: int
    pending: bool
    wanted: dict[InstrumentName, int]


def holding_chart(*, portfolio: Portfolio, asset: str, now: datetime) -> HoldingChart:
    """Return what the chart of one asset shows, in the portfolio's money of account."""
    timeline = timeline_of(portfolio=portfolio)
    entries = ledger_entries(portfolio=portfolio, assets=bucket_of(asset=asset, timeline=timeline))
    today = int(now.timestamp()) // DAY_SECONDS
    first = min(day_of(entries[0]), today) - _BEFORE if entries else today
    start, midnight = (datetime.fromtimestamp(day * DAY_SECONDS, UTC) for day in (first, today))
    past = daily_rates(assets=[asset], target=portfolio.currency, from_=start, to=midnight)[asset]
    prices = [(day, value) for day in past.days() if (value := past.value(day)) is not None]
    present = prices_of(assets=[asset], currency=portfolio.currency, now=now).get(asset)
    if present is not None and present.value is not None:
        prices.append((today, present.value))
    missing = _first_missing(range(first + _BEFORE, today), {day for day, _value in prices})
    return HoldingChart(
        prices=tuple(prices),
        story=holding_story(entries, timeline, asset=asset, money=portfolio.currency),
        entries=len(entries),
        pending=past.pending,
        wanted={} if missing is None else dict.fromkeys(past.wanted, missing),
    )


def bucket_of(*, asset: str, timeline: Timeline) -> tuple[str, ...]:
    """Return the asset and all that shared its cost by any policy of the timeline."""
    found = [asset]
    for policy in (timeline.first, *(change.policy for change in timeline.changes)):
        bucket = policy.bucket(asset)
        found += [bucket, *(one for one in policy.alias if policy.bucket(one) == bucket)]
    return tuple(dict.fromkeys(found))


def _first_missing(days: Iterable[int], known: set[int]) -> int | None:
    return next((day for day in days if day not in known), None)
