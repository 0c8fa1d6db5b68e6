"""The table of channels: what each is called, who hears what in it, its snapshot, and which events feed it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.core.events import Event, JobChanged
from apps.live import queries
from apps.live.domain.bonds import Viewer
from apps.live.domain.news import Row, Update
from apps.portfolios.events import PortfolioRevalued

INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class Channel:
    """One line of the table.

    `topics` says whose news a viewer hears, `list_name` is the list in `data`. A paced channel shows the price board:
    its keys are instruments, its snapshots need no database, its updates come at most four times a second. A channel
    with `own_keys` is watched by the keys of things that belong to the viewer.
    """

    name: str
    list_name: str
    topics: Callable[[Viewer, Sequence[str]], frozenset[str]]
    snapshot: Callable[[Viewer, Sequence[str]], Sequence[Row]]
    is_paced: bool = False
    own_keys: Callable[[Viewer, Sequence[str]], Sequence[str]] | None = None

    @property
    def has_keys(self) -> bool:
        """Tell whether single things are watched in this channel, or all of it at once."""
        return self.is_paced or self.own_keys is not None


def person_topic(user_id: object) -> str:
    """Name the topic that only this person hears."""
    return f"person:{user_id}"


def _own(viewer: Viewer, _keys: Sequence[str]) -> frozenset[str]:
    return frozenset({person_topic(viewer.user_id)})


def _own_and_instance(viewer: Viewer, _keys: Sequence[str]) -> frozenset[str]:
    own = {person_topic(viewer.user_id)}
    return frozenset(own | {INSTANCE} if viewer.runs_instance else own)


def _jobs(viewer: Viewer, _keys: Sequence[str]) -> Sequence[Row]:
    return queries.jobs_for(viewer=viewer)


def portfolio_topic(portfolio_id: object) -> str:
    """Name the topic of one portfolio."""
    return f"portfolio:{portfolio_id}"


def _portfolio_topics(_viewer: Viewer, keys: Sequence[str]) -> frozenset[str]:
    return frozenset(map(portfolio_topic, keys))


def _portfolios(viewer: Viewer, keys: Sequence[str]) -> Sequence[Row]:
    return queries.portfolios_for(viewer=viewer, keys=keys)


def _own_portfolios(viewer: Viewer, keys: Sequence[str]) -> Sequence[str]:
    return queries.own_portfolios(viewer=viewer, keys=keys)


def _nobody(_viewer: Viewer, _keys: Sequence[str]) -> frozenset[str]:
    return frozenset()


def _nothing_yet(_viewer: Viewer, _keys: Sequence[str]) -> Sequence[Row]:
    return ()


CHANNELS = {
    channel.name: channel
    for channel in (
        Channel("jobs", "jobs", topics=_own_and_instance, snapshot=_jobs),
        Channel("alerts", "alerts", topics=_own, snapshot=_nothing_yet),
        Channel("portfolio", "portfolios", topics=_portfolio_topics, snapshot=_portfolios, own_keys=_own_portfolios),
        Channel("market_data", "tickers", topics=_nobody, snapshot=_nothing_yet, is_paced=True),
    )
}

#: Channels of the protocol that arrive with the apps that feed them.
LATER = frozenset({"predictions", "signals"})


# --- Events into updates --------------------------------------------------------------------------------------------
def _job_changed(event: JobChanged, happened_at: float) -> Update:
    topic = INSTANCE if event.owner_id is None else person_topic(event.owner_id)
    row = queries.job_row(
        job_id=event.job_id,
        kind=event.kind,
        title=event.title,
        state=event.state,
        progress=event.progress,
        note=event.note,
    )
    return Update(channel="jobs", topic=topic, row=row, happened_at=happened_at)


def _portfolio_revalued(event: PortfolioRevalued, happened_at: float) -> Update:
    row = queries.portfolio_row(
        portfolio_id=event.portfolio_id,
        version=event.version,
        booked=event.booked,
        currency=event.currency,
        total=event.total,
        as_of=event.as_of,
    )
    return Update(channel="portfolio", topic=portfolio_topic(event.portfolio_id), row=row, happened_at=happened_at)


def update_of(event: Event, *, happened_at: float) -> Update | None:
    """Return what an event means for the sockets; nothing if it is for others."""
    if isinstance(event, JobChanged):
        return _job_changed(event, happened_at)
    if isinstance(event, PortfolioRevalued):
        return _portfolio_revalued(event, happened_at)
    return None
