"""Metrics: what every process counted, and what the tables say at this moment."""

from collections.abc import Iterator
from datetime import datetime

import structlog
from django.db import Error as DatabaseError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from apps.core.cache import redis_is_up
from apps.operations.gateways.metric_files import shared_registry
from apps.operations.queries.health import ALIVE, database_answers, read_health
from apps.operations.queries.work import count_work

log = structlog.get_logger(__name__)

#: The format in which Prometheus reads metrics.
CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Now(Collector):
    """What is asked at the moment of reading; while the database is away only its absence is told."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        is_up = database_answers()
        yield GaugeMetricFamily("coinsphere_database_up", "Whether the database answers.", value=float(is_up))
        yield GaugeMetricFamily("coinsphere_redis_up", "Whether Redis answers.", value=float(redis_is_up()))
        if not is_up:
            return
        try:
            families = [_jobs(), _processes(self.now)]
        except DatabaseError as error:
            log.warning("The tables could not be counted", error=str(error).strip())
            return
        yield from families


def _jobs() -> GaugeMetricFamily:
    jobs = GaugeMetricFamily("coinsphere_jobs", "Long-lived work by kind and state.", labels=["kind", "state"])
    for count in count_work():
        jobs.add_metric([count.kind, count.state], count.number)
    return jobs


def _processes(now: datetime) -> GaugeMetricFamily:
    processes = GaugeMetricFamily("coinsphere_process_up", "Whether a process was heard lately.", labels=["process"])
    for process in read_health(now=now).processes:
        processes.add_metric([process.name], float(process.state == ALIVE))
    return processes


def collect_metrics(*, now: datetime) -> bytes:
    """Return the metrics of all processes on this machine, as text."""
    present = CollectorRegistry()
    present.register(_Now(now))
    with shared_registry() as registry:
        return generate_latest(registry) + generate_latest(present)
