"""Is the product well? Answers even while its database or Redis is away."""

import importlib.util
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseError
from django.db.migrations.loader import MigrationLoader

from apps.core.cache import redis_is_up
from apps.operations.models import ALIVE_FOR, ProcessBeat
from apps.operations.queries.price_sources import PriceSource, price_feed_state, read_price_sources

log = structlog.get_logger(__name__)

OK = "ok"
DOWN = "down"
ALIVE = "alive"
LATE = "late"
MISSING = "missing"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ProcessHealth:
    """One enabled process and when it was last heard."""

    name: str
    state: str
    version: str = ""
    started_at: datetime | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """All of it. `status` is `ok`, `degraded` (something works less well) or `down` (the database is away)."""

    status: str
    version: str
    database: str
    migrations: str
    redis: str
    processes: tuple[ProcessHealth, ...]
    features: dict[str, str] = field(default_factory=dict)
    prices: tuple[PriceSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Startup:
    """Which enabled processes have not answered since this start."""

    missing: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether every enabled process has answered."""
        return not self.missing


class _Migrations:
    """Whether every migration is applied; asked until it is, and again after the database was away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.are_applied = False

    def forget(self) -> None:
        """Ask again next time: another database may stand there now."""
        self.are_applied = False

    def check(self) -> bool:
        """Tell whether nothing is left to apply."""
        if self.are_applied:
            return True
        with self._lock:
            loader = MigrationLoader(connections[DEFAULT_DB_ALIAS])
            wanted = set(loader.graph.leaf_nodes())
            self.are_applied = wanted <= set(loader.applied_migrations or {})
            return self.are_applied


migrations = _Migrations()


def database_answers() -> bool:
    """Ask the database for nothing; a lost connection is given up, so that the next question makes a new one."""
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        if not connection.in_atomic_block:
            connection.close()
        migrations.forget()
        log.debug("The database does not answer", error=str(error).strip())
        return False
    return True


def is_ready() -> bool:
    """Tell whether this process may take traffic: the database answers and its tables are those of this code."""
    return database_answers() and _migrated()


def _migrated() -> bool:
    try:
        return migrations.check()
    except DatabaseError as error:
        log.debug("The migrations cannot be read", error=str(error).strip())
        return False


def read_startup(*, now: datetime) -> Startup:
    """Return which enabled processes have not answered since this start of the product."""
    if not is_ready():
        return Startup(missing=tuple(settings.ENABLED_PROCESSES))
    answered = ProcessBeat.objects.alive(now=now).started_since(_this_start())
    names = set(answered.values_list("name", flat=True))
    return Startup(missing=tuple(name for name in settings.ENABLED_PROCESSES if name not in names))


def _this_start() -> datetime:
    return datetime.fromisoformat(settings.STARTED_AT) if settings.STARTED_AT else EARLIEST


def read_health(*, now: datetime) -> Health:
    """Return the state of everything this instance consists of."""
    has_database = database_answers()
    migrated = has_database and _migrated()
    has_redis = redis_is_up()
    processes = _processes(now) if migrated else tuple(ProcessHealth(n, MISSING) for n in settings.ENABLED_PROCESSES)
    sources = read_price_sources(now=now) if has_redis else ()
    well = migrated and has_redis and all(process.state == ALIVE for process in processes)
    return Health(
        status=OK if well else "degraded" if migrated else DOWN,
        version=settings.VERSION,
        database=OK if has_database else DOWN,
        migrations=OK if migrated else "pending" if has_database else "unknown",
        redis=OK if has_redis else DOWN,
        processes=processes,
        features=read_features(has_redis=has_redis, sources=sources),
        prices=sources,
    )


def _processes(now: datetime) -> tuple[ProcessHealth, ...]:
    """Return every enabled process as it was last heard, the freshest machine's first."""
    latest: dict[str, ProcessBeat] = {}
    for beat in ProcessBeat.objects.order_by("last_seen_at"):
        latest[beat.name] = beat
    return tuple(_process(name, latest.get(name), now) for name in settings.ENABLED_PROCESSES)


def _process(name: str, beat: ProcessBeat | None, now: datetime) -> ProcessHealth:
    if beat is None:
        return ProcessHealth(name, MISSING)
    state = ALIVE if now - beat.last_seen_at < ALIVE_FOR else LATE
    return ProcessHealth(name, state, beat.version, beat.started_at, beat.last_seen_at)


def read_features(*, has_redis: bool, sources: tuple[PriceSource, ...]) -> dict[str, str]:
    """Return the state of what can be on, off, or not there yet."""
    return {
        "live_updates": "on" if has_redis else "paused",
        "background_work": "on" if has_redis else "paused",
        "price_feed": price_feed_state(sources=sources, has_redis=has_redis),
        "forecasts": _forecasts(),
    }


def _forecasts() -> str:
    if not settings.WITH_ML:
        return "off"
    return "on" if importlib.util.find_spec("tensorflow") else "waiting_for_set_up"
