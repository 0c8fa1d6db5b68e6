"""What the owner's console shows: processes, queues, versions, the last self-check and set-up in the background."""

import json
import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import django
from django.conf import settings
from django.db import connection

from apps.core import jobs
from apps.core.cache import RedisOutage, redis_client
from apps.operations.models import ProcessBeat, SelfCheck
from apps.operations.queries.health import Health, read_health

QUEUES = ("sync", "default", "notify", "train")


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process as the console lists it."""

    name: str
    state: str
    host: str
    pid: int | None
    version: str
    memory_mib: int | None
    started_at: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue of the broker and how many messages wait in it; nothing if the broker is away."""

    name: str
    waiting: int | None


@dataclass(frozen=True, slots=True)
class Installation:
    """How far the forecast engine's set-up in the background has come."""

    state: str
    step: str = ""
    share: Decimal | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Console:
    """Everything on the health page of the console."""

    health: Health
    processes: tuple[ProcessRow, ...]
    queues: tuple[QueueRow, ...]
    versions: Mapping[str, str]
    installation: Installation
    job_counts: Mapping[str, int]
    self_check: SelfCheck | None

    @property
    def answering(self) -> int:
        """Count the processes that were heard lately."""
        return sum(row.state == "alive" for row in self.processes)

    @property
    def memory_mib(self) -> int | None:
        """Add up the memory of the processes that told theirs."""
        told = [row.memory_mib for row in self.processes if row.memory_mib is not None]
        return sum(told) if told else None


def living_processes(*, now: datetime) -> list[str]:
    """Return the names of the processes that were heard lately and, on this machine, are still there."""
    return sorted(beat.name for beat in ProcessBeat.objects.alive(now=now) if not _has_ended(beat))


def _has_ended(beat: ProcessBeat) -> bool:
    """Tell whether a process of this machine is gone without having taken its row away."""
    if beat.host != socket.gethostname()[:255]:
        return False
    try:
        os.kill(beat.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def read_console(*, now: datetime) -> Console:
    """Return what the console's health page shows."""
    health = read_health(now=now)
    counts: dict[str, int] = {}
    for (_kind, state), number in jobs.job_counts().items():
        counts[state] = counts.get(state, 0) + number
    return Console(
        health=health,
        processes=_processes(health),
        queues=_queues(),
        versions=_versions(),
        installation=read_installation(),
        job_counts=counts,
        self_check=last_self_check(),
    )


def last_self_check() -> SelfCheck | None:
    """Return the newest self-check, finished or not."""
    return SelfCheck.objects.order_by("-id").first()


def read_installation() -> Installation:
    """Return how far the forecast engine's set-up is, as the program that does it noted."""
    if not settings.WITH_ML:
        return Installation(state="off")
    path = Path(settings.DATA_DIR) / "run" / "ml-install.json"
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return Installation(state="none")
    done, total = int(noted.get("done") or 0), int(noted.get("total") or 0)
    return Installation(
        state=str(noted.get("state", "none")),
        step=str(noted.get("step") or ""),
        share=jobs.fraction(done=done, total=total) if total else None,
        problem=str(noted.get("error") or ""),
    )


def _processes(health: Health) -> tuple[ProcessRow, ...]:
    beats = {beat.name: beat for beat in ProcessBeat.objects.order_by("last_seen_at")}
    rows = []
    for process in health.processes:
        beat = beats.get(process.name)
        memory = beat.detail.get("memory_mib") if beat else None
        rows.append(
            ProcessRow(
                name=process.name,
                state=process.state,
                host=beat.host if beat else "",
                pid=beat.pid if beat else None,
                version=process.version,
                memory_mib=memory if isinstance(memory, int) else None,
                started_at=process.started_at,
                last_seen_at=process.last_seen_at,
            )
        )
    return tuple(rows)


def _queues() -> tuple[QueueRow, ...]:
    try:
        client = redis_client()
        return tuple(QueueRow(name, int(client.llen(name))) for name in QUEUES)
    except RedisOutage:
        return tuple(QueueRow(name, None) for name in QUEUES)


def _versions() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = str(cursor.fetchone()[0]).split()[0]
    try:
        redis = str(redis_client().info("server")["redis_version"])
    except RedisOutage:
        redis = ""
    return {
        "Coinsphere": settings.VERSION,
        "Python": platform.python_version(),
        "Django": django.get_version(),
        "PostgreSQL": postgres,
        "Redis": redis,
    }
