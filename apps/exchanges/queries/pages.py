"""What the pages of the exchanges show: a card for each connection, and the story of each sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

from apps.core.models.work import WorkState
from apps.exchanges.domain.coverage import CoverageState, StreamCoverage
from apps.exchanges.domain.guarding import KEY_GROWS_OLD
from apps.exchanges.domain.reading import Stream
from apps.exchanges.models import Connection, ConnectionState, KeyUse, SyncRun
from apps.exchanges.queries.standings import SYNCING, Standing, stand, standings_of, told_state
from apps.portfolios.queries.allocation import AllocationBy, allocation
from apps.portfolios.queries.reconciliation import Cause, reconciliation

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.portfolios.models import Portfolio

#: What is told together on a card.
GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "trades": frozenset({Stream.TRADES}),
    "transfers": frozenset({Stream.DEPOSITS, Stream.WITHDRAWALS, Stream.FIAT}),
    "others": frozenset({Stream.REWARDS, Stream.CONVERSIONS, Stream.DUST, Stream.LEDGER}),
}
_NEWEST_USES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How far one group of streams is known; `share` is the part of the streams that is."""

    name: str
    state: CoverageState
    share: Decimal
    from_at: datetime | None
    to_at: datetime | None
    rows: int
    problems: tuple[str, ...]

    @property
    def percent(self) -> str:
        """Return the share as the drawing wants it."""
        return f"{self.share * 100:.0f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One connection as its card shows it."""

    standing: Standing
    bars: tuple[Bar, ...]
    value: Decimal | None
    currency: str
    agreeing: int
    compared: int

    @property
    def connection(self) -> Connection:
        """Whose card it is."""
        return self.standing.connection

    @property
    def key_days(self) -> int:
        """How old the key is."""
        return max(0, (self.standing.now - self.connection.key_changed_at).days)

    @property
    def key_is_old(self) -> bool:
        """Whether it is time for another key."""
        return self.standing.now - self.connection.key_changed_at >= KEY_GROWS_OLD

    @property
    def differing(self) -> int:
        """How many coins the ledger has otherwise than the exchange."""
        return self.compared - self.agreeing

    @property
    def is_syncing(self) -> bool:
        """Whether it is being read at the moment."""
        return self.standing.state == SYNCING

    @property
    def needs_owner(self) -> bool:
        """Whether nothing goes on without its owner."""
        return self.connection.state == ConnectionState.REVOKED

    @property
    def waits_for_retry(self) -> bool:
        """Whether the open run waits until it is tried again."""
        run = self.standing.open_run
        return run is not None and run.state == WorkState.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangesPage:
    """The page of all connections."""

    cards: tuple[Card, ...]

    def count(self, *states: str) -> int:
        """Return how many connections stand so."""
        return sum(card.standing.state in states for card in self.cards)

    @property
    def up_to_date(self) -> int:
        """How many are read and wait for their next time."""
        return self.count("active")

    @property
    def syncing(self) -> int:
        """How many are being read."""
        return self.count(SYNCING)

    @property
    def needing(self) -> int:
        """How many need their owner."""
        return self.count("revoked", "error")


def exchanges_page(*, user: User, portfolio: Portfolio, now: datetime) -> ExchangesPage:
    """Return the cards of the connections that feed a portfolio."""
    return ExchangesPage(
        cards=cards_of(
            standings=standings_of(user=user, portfolio_id=portfolio.pk, now=now), portfolio=portfolio, now=now
        )
    )


def card_of(*, connection: Connection, now: datetime) -> Card:
    """Return the card of one connection."""
    return cards_of(standings=stand(connections=[connection], now=now), portfolio=connection.portfolio, now=now)[0]


def cards_of(*, standings: Sequence[Standing], portfolio: Portfolio, now: datetime) -> tuple[Card, ...]:
    """Return cards with values and comparisons of their portfolio."""
    if not standings:
        return ()
    values = {part.name: part.value for part in allocation(portfolio=portfolio, by=AllocationBy.ACCOUNT).parts}
    agreeing: dict[str, list[bool]] = {}
    for row in reconciliation(portfolio=portfolio, now=now):
        agreeing.setdefault(row.account, []).append(row.cause is Cause.AGREES)
    return tuple(
        Card(
            standing=one,
            bars=bars_of(streams=one.streams),
            value=values.get(one.connection.account.name),
            currency=portfolio.currency,
            agreeing=sum(agreeing.get(one.connection.account.name, [])),
            compared=len(agreeing.get(one.connection.account.name, [])),
        )
        for one in standings
    )


def bars_of(*, streams: Sequence[StreamCoverage]) -> tuple[Bar, ...]:
    """Return how far the groups of streams are known; a group that an exchange does not have is left out."""
    bars = []
    for name, members in GROUPS.items():
        own = [one for one in streams if one.stream in members]
        if own:
            bars.append(_bar(name, own))
    return tuple(bars)


def _bar(name: str, own: Sequence[StreamCoverage]) -> Bar:
    states = {one.state for one in own}
    state = next(one for one in (CoverageState.RUNNING, CoverageState.PARTIAL, CoverageState.COMPLETE) if one in states)
    done = sum(one.state is not CoverageState.RUNNING for one in own)
    begun = [one.from_at for one in own if one.from_at]
    ended = [one.to_at for one in own if one.to_at]
    return Bar(
        name=name,
        state=state,
        share=Decimal(done) / len(own),
        from_at=min(begun, default=None),
        to_at=min(ended, default=None),
        rows=sum(one.rows for one in own),
        problems=tuple(dict.fromkeys(one.problem_detail for one in own if one.problem_detail)),
    )


# --- The story of syncs -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class RunStory:
    """One sync in what can be said of it."""

    run: SyncRun
    state: str
    took: timedelta | None
    problems: tuple[Mapping[str, str], ...]
    more_problems: int


_SHOWN_PROBLEMS: Final = 5


def story_of(*, run: SyncRun) -> RunStory:
    """Return what can be said of one sync."""
    took = run.finished_at - run.started_at if run.finished_at and run.started_at else None
    own = [{"code": run.problem_code, "detail": run.problem_detail}] if run.problem_code else []
    problems = [*own, *run.problems]
    return RunStory(
        run=run,
        state=told_state(run=run),
        took=took,
        problems=tuple(problems[:_SHOWN_PROBLEMS]),
        more_problems=max(0, len(problems) - _SHOWN_PROBLEMS),
    )


def uses_of(*, connection_id: UUID) -> list[KeyUse]:
    """Return the newest lines of the log of a key."""
    return list(KeyUse.objects.filter(connection=connection_id).order_by("-id")[:_NEWEST_USES])
