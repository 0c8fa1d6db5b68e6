"""Reading what must be fresh: a ledger that moved on is booked, and old prices are renewed, before the answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from apps.core.api.times import iso_z
from apps.core.errors import NotFoundError
from apps.portfolios.actions.booking import ensure_booked, recompute
from apps.portfolios.actions.valuing import revalue
from apps.portfolios.domain.policy import Policy, policy_as_portable
from apps.portfolios.domain.timeline import Timeline, changes_as_portable, kept_timeline
from apps.portfolios.domain.transactions import last_microsecond
from apps.portfolios.models import BookedResult, Portfolio, PortfolioValue
from apps.portfolios.queries.answers import answer_body, answer_state
from apps.portfolios.queries.booking import (
    figures_of_year,
    records_of_result,
    result_of_asset,
    whole_result,
    year_of_result,
)
from apps.portfolios.queries.checkpoints import entries_behind
from apps.portfolios.queries.completeness import completeness_of, completeness_row
from apps.portfolios.queries.freezing import with_frozen
from apps.portfolios.queries.portfolios import portfolio_of, timeline_of

if TYPE_CHECKING:
    from apps.accounts.models import User

#: A value is renewed for its reader when it is older than this.
FRESH: Final = timedelta(seconds=15)
#: A page goes on from a value that is not older than this: its own script follows the prices from there.
GLANCE: Final = timedelta(seconds=5)
#: Another answer may take the place of one between two questions.
_MOST_TRIES: Final = 3
#: More entries than these are booked again by a worker; until then readers get what was booked before.
MOST_INLINE: Final = 20_000


@dataclass(frozen=True, slots=True)
class HoldingsAnswer:
    """The answer about holdings: its version, and its text unless the reader has it already."""

    version: str
    body: bytes | None


def read_holdings(*, user: User, portfolio_id: UUID, known: str = "", now: datetime) -> HoldingsAnswer:
    """Return the holdings of one of the person's portfolios as they are now; no text where the version is known."""
    for _try in range(_MOST_TRIES):
        state = answer_state(portfolio_id=portfolio_id, owner_id=user.pk)
        if state is None or state.booked != state.wanted or state.valued_at < now - FRESH:
            refresh(portfolio=portfolio_of(user=user, portfolio_id=portfolio_id), now=now)
            state = answer_state(portfolio_id=portfolio_id, owner_id=user.pk)
        if state is None:
            break
        stamp = f"{portfolio_id.hex[-12:]}-{state.version}-{state.booked}"
        if stamp == known:
            return HoldingsAnswer(stamp, None)
        body = answer_body(portfolio_id=portfolio_id, version=state.version)
        if body is not None:
            stale = b"false" if state.booked == state.wanted else b"true"
            return HoldingsAnswer(stamp, b'{"as_of":"%b","stale":%b,%b' % (_text(state.valued_at), stale, body[1:]))
    raise NotFoundError


def _text(moment: datetime) -> bytes:
    return iso_z(moment).encode()


def look_at(*, portfolio: Portfolio, now: datetime) -> None:
    """Refresh a portfolio for somebody who looks at it, unless that was done a moment ago."""
    state = answer_state(portfolio_id=portfolio.pk, owner_id=portfolio.owner_id)
    if state is None or state.booked != state.wanted or state.valued_at < now - GLANCE:
        refresh(portfolio=portfolio, now=now)


def refresh(*, portfolio: Portfolio, now: datetime) -> None:
    """Book what was posted since, unless that is a worker's task, and value it."""
    is_behind = portfolio.booked_version != portfolio.version or _own_result(portfolio) is None
    if is_behind and not _is_left_to_a_worker(portfolio):
        recompute(portfolio_id=portfolio.pk, now=now)
    revalue(portfolio_id=portfolio.pk, now=now, seen=True)


def read_lots(*, portfolio: Portfolio, policy: Policy | None, now: datetime) -> dict[str, Any]:
    """Return the whole result of a ledger under a policy, with how complete it is."""
    result = _result(portfolio, policy, now)
    return {**whole_result(result=result), **_stamp(portfolio, result)}


def read_records(*, portfolio: Portfolio, now: datetime) -> dict[str, Any]:
    """Return what is missing or wrong in a ledger by its own rules; nothing else of its result is read."""
    return records_of_result(result=_result(portfolio, None, now))


def read_asset(*, portfolio: Portfolio, asset: str, buckets: Collection[str], now: datetime) -> dict[str, Any]:
    """Return what was booked of one asset by the portfolio's own rules, and whether the ledger has moved on since."""
    result = _result(portfolio, None, now)
    found = result_of_asset(result=result, asset=asset, buckets=buckets)
    return {**found, "stale": result.version != portfolio.version}


def read_gains(*, portfolio: Portfolio, year: int | None, policy: Policy | None, now: datetime) -> dict[str, Any]:
    """Return the disposals and the income of a year, or of all, under a policy, with how complete they are.

    A year that is frozen is answered as it was frozen, unless other rules than the portfolio's own are asked for.
    """
    if year is None:
        return read_lots(portfolio=portfolio, policy=policy, now=now)
    booked = read_today(portfolio=portfolio, year=year, policy=policy, now=now)
    if policy is not None:
        return booked
    return with_frozen(portfolio=portfolio, year=year, booked=booked)


def read_year(*, portfolio: Portfolio, year: int, now: datetime) -> dict[str, Any]:
    """Return what a year brought by the portfolio's own rules, as frozen if it is; without what is left at the end."""
    result = _result(portfolio, None, now)
    booked = {**figures_of_year(result=result, year=year), **_stamp(portfolio, result, year=year)}
    return with_frozen(portfolio=portfolio, year=year, booked=booked)


def read_today(*, portfolio: Portfolio, year: int, policy: Policy | None = None, now: datetime) -> dict[str, Any]:
    """Return a year as the ledger has it today, frozen or not."""
    result = _result(portfolio, policy, now)
    return {**year_of_result(result=result, year=year), **_stamp(portfolio, result, year=year)}


def read_completeness(*, portfolio: Portfolio, now: datetime) -> dict[str, Any]:
    """Return how complete a portfolio's figures are."""
    refresh(portfolio=portfolio, now=now)
    value = PortfolioValue.objects.filter(portfolio=portfolio).values_list("completeness", flat=True).first()
    return dict(value or {})


def _result(portfolio: Portfolio, policy: Policy | None, now: datetime) -> BookedResult:
    is_own = policy is None or Timeline(policy) == timeline_of(portfolio=portfolio)
    if is_own and _is_left_to_a_worker(portfolio):
        return BookedResult.objects.get(portfolio=portfolio, is_own=True)
    return ensure_booked(portfolio=portfolio, policy=policy, now=now)


def _stamp(portfolio: Portfolio, result: BookedResult, *, year: int | None = None) -> dict[str, Any]:
    found = completeness_of(portfolio=portfolio, result=result)
    timeline = kept_timeline(result.policy)
    if year is not None:
        timeline = timeline.until(last_microsecond(year))
    return {
        "currency": portfolio.currency,
        "policy": policy_as_portable(timeline.last),
        "policy_changes": changes_as_portable(timeline),
        "input_hash": result.input_hash,
        "booked_at": iso_z(result.booked_at),
        "stale": result.version != portfolio.version,
        "frozen": None,
        "completeness": completeness_row(found=found),
    }


def _own_result(portfolio: Portfolio) -> BookedResult | None:
    return BookedResult.objects.filter(portfolio=portfolio, is_own=True).first()


def _is_left_to_a_worker(portfolio: Portfolio) -> bool:
    """Tell whether an earlier result stands in until a worker has booked what came in since."""
    result = _own_result(portfolio)
    if result is None:
        return False
    result.portfolio = portfolio
    return entries_behind(result=result, most=MOST_INLINE) > MOST_INLINE
