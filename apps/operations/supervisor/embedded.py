"""PostgreSQL and Redis as the environment names them, or as children of ours in the data folder."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from apps.operations.domain.processes import SERVICE_PATIENCE, StartError
from apps.operations.gateways import postgres, redis_server
from apps.operations.gateways.unprivileged import Ground, find_ground, own_folder
from apps.operations.supervisor import preparing
from apps.operations.supervisor.house import House
from apps.operations.supervisor.ports import free_port

STAND_IN_WARNING = (
    "No redis-server was found, so a slow stand-in takes its place: fine for a look, not for use. "
    "Install one (Debian: apt install redis-server) and start again."
)


@dataclass(slots=True)
class Services:
    """Where the two services are, and what a person should know about them."""

    database_url: str
    redis_url: str
    warnings: list[str] = field(default_factory=list)

    def as_pairs(self) -> dict[str, str]:
        """Return the addresses as settings read them."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


def start_services(
    house: House, *, outside: Mapping[str, str] = os.environ, durable: bool = True, done: Callable[[str], None]
) -> Services:
    """Start what the environment does not name, and wait until it answers; a crashed database recovers first."""
    services = Services(outside.get("DATABASE_URL", ""), outside.get("REDIS_URL", ""))
    if services.database_url and services.redis_url:
        return services
    ground = find_ground(data=house.folder.root)
    if not services.database_url:
        services.database_url = _start_postgres(house, ground, durable=durable)
        done("database")
    if not services.redis_url:
        services.redis_url = _start_redis(house, ground, services.warnings, durable=durable)
        done("cache and queue")
    return services


def _start_postgres(house: House, ground: Ground, *, durable: bool) -> str:
    cluster = postgres.Cluster(
        folder=ground.folder / "postgres",
        binaries=postgres.find_binaries(account=ground.account),
        account=ground.account,
        port=free_port(),
        password=house.folder.secret("POSTGRES_PASSWORD"),
        durable=durable,
    )
    if not cluster.is_made:
        for program in cluster.creation():
            house.step(program, failure="The database could not be created.", seconds=SERVICE_PATIENCE)
        preparing.forget(house.folder)
        cluster.settle()
    cluster.end_left_over()
    house.start(cluster.server(), before=lambda: _is_clear(cluster))
    house.wait_until(cluster.accepts, seconds=SERVICE_PATIENCE, failure="The database does not answer.")
    return cluster.url


def _is_clear(cluster: postgres.Cluster) -> bool:
    """Say whether a server may start here: two on one cluster would destroy it."""
    if cluster.is_left_over():
        return False
    cluster.forget_left_over()
    return True


def _start_redis(house: House, ground: Ground, warnings: list[str], *, durable: bool) -> str:
    broker = redis_server.Broker(
        program=redis_server.find_program(account=ground.account),
        folder=ground.folder / "redis",
        account=ground.account,
        port=free_port(),
        password=house.folder.secret("REDIS_PASSWORD"),
        durable=durable,
    )
    if broker.program is None:
        warnings.append(STAND_IN_WARNING)
    try:
        own_folder(folder=broker.folder, account=ground.account)
    except OSError as error:
        raise StartError(f"{broker.folder} cannot be written: {error.strerror}.") from error
    house.start(broker.server())
    house.wait_until(broker.accepts, seconds=SERVICE_PATIENCE, failure="Redis does not answer.")
    return broker.url
