"""The subjects of the self-check: each looks at one thing and says what it found."""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from apps.core.cache import redis_client
from apps.core.errors import ProductError
from apps.core.vault import key_ring
from apps.operations.domain.findings import Finding, good
from apps.operations.models import ALIVE_FOR, ProcessBeat

Check = Callable[[datetime], Finding]

_SMALLEST_POSTGRES = 150000
_SMALLEST_FREE_BYTES = 1 << 30
_LARGEST_SKEW_SECONDS = 5.0
_DISK_MEGABYTES = 32
_SLOWEST_DISK = 20.0
_PRIVATE = stat.S_IRWXG | stat.S_IRWXO


def _database(now: datetime) -> Finding:
    """PostgreSQL answers, is new enough, and its clock agrees with ours."""
    code, title = "database", "Database"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version_num')::int, clock_timestamp()")
            version, there = cursor.fetchone()
    except DatabaseError as error:
        fix = "Start it, or correct DATABASE_URL."
        return Finding(code, title, "problem", f"PostgreSQL does not answer: {error}".strip(), fix)
    if version < _SMALLEST_POSTGRES:
        return Finding(
            code, title, "problem", f"PostgreSQL {version // 10000} is too old.", "Use PostgreSQL 15 or newer."
        )
    skew = abs((there - now).total_seconds())
    if skew > _LARGEST_SKEW_SECONDS:
        fix = "Let both machines keep network time."
        return Finding(code, title, "warning", f"The database's clock is {skew:.0f} s away from this machine's.", fix)
    return good(code=code, title=title, detail=f"PostgreSQL {version // 10000} answers.")


def _migrations(_now: datetime) -> Finding:
    """Every table stands as this version expects it."""
    code, title = "migrations", "Tables"
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return Finding(code, title, "problem", "Cannot be checked while the database is away.", "Start the database.")
    if plan:
        fix = "Run ./coinsphere up, or ./coinsphere manage migrate."
        return Finding(code, title, "problem", f"{len(plan)} migrations are not applied.", fix)
    return good(code=code, title=title, detail="All migrations are applied.")


def _redis(_now: datetime) -> Finding:
    """Redis answers; without it pages work but nothing is live."""
    code, title = "redis", "Broker and live data"
    try:
        version = redis_client().info("server")["redis_version"]
    except RedisError as error:
        fix = "Start Redis, or correct REDIS_URL. Pages work meanwhile; live data and jobs wait."
        return Finding(code, title, "problem", f"Redis does not answer: {error}", fix)
    return good(code=code, title=title, detail=f"Redis {version} answers.")


def _data_folder(_now: datetime) -> Finding:
    """The data folder can be written and its disk is not nearly full."""
    code, title = "data_folder", "Data folder"
    folder = Path(settings.DATA_DIR)
    if not os.access(folder, os.W_OK):
        return Finding(
            code, title, "problem", f"{folder} cannot be written.", "Give it to the user who runs Coinsphere."
        )
    free = shutil.disk_usage(folder).free
    if free < _SMALLEST_FREE_BYTES:
        detail = f"Only {free / (1 << 20):.0f} MB are free on its disk."
        return Finding(code, title, "warning", detail, "Free some space before the disk is full.")
    return good(code=code, title=title, detail=f"Writable, {free / (1 << 30):.0f} GB free on its disk.")


def _secret_files(_now: datetime) -> Finding:
    """Files with secrets can be read by their owner only."""
    code, title = "secret_files", "Secret files"
    named = [Path(settings.DATA_DIR) / "secrets.env", Path(settings.MASTER_KEY_FILE)]
    files = [path for path in named if path.exists()]
    open_files = [path.name for path in files if path.stat().st_mode & _PRIVATE]
    if open_files:
        fix = f"Run chmod 600 on {', '.join(open_files)} in the data folder, and consider their content known."
        return Finding(code, title, "problem", "Other users of this machine can read secrets.", fix)
    return good(code=code, title=title, detail=f"{len(files)} files, readable by their owner only.")


def _disk(_now: datetime) -> Finding:
    """Writing to the data folder's disk is quick enough for a database."""
    code, title = "disk", "Disk speed"
    block = os.urandom(1 << 20)
    try:
        with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:
            started = time.perf_counter()
            for _ in range(_DISK_MEGABYTES):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
            seconds = time.perf_counter() - started
    except OSError as error:
        return Finding(code, title, "problem", f"The disk refused a test file: {error.strerror}.", "Free some space.")
    rate = _DISK_MEGABYTES / seconds
    if rate < _SLOWEST_DISK:
        fix = "Move the data folder to a faster disk, or stop what keeps this one busy."
        return Finding(code, title, "warning", f"It takes only {rate:.0f} MB a second.", fix)
    return good(code=code, title=title, detail=f"It takes {rate:.0f} MB a second.")


def _processes(now: datetime) -> Finding:
    """Every process of the product was heard lately."""
    code, title = "processes", "Processes"
    if not settings.STARTED_AT:
        return good(code=code, title=title, detail="The product is stopped.")
    beats = list(ProcessBeat.objects.all())
    silent = sorted(beat.name for beat in beats if beat.last_seen_at <= now - ALIVE_FOR)
    if silent:
        fix = "Look at its log in the data folder; ./coinsphere up starts it again."
        return Finding(code, title, "warning", f"Not heard lately: {', '.join(silent)}.", fix)
    return good(
        code=code, title=title, detail=f"{len(beats)} processes answer." if beats else "The product is stopped."
    )


def _vault(_now: datetime) -> Finding:
    """The master key is at hand."""
    code, title = "vault", "Master key"
    try:
        key_ring()
    except ProductError as error:
        fix = "Put the master key back, from a backup if it is lost. Without it stored exchange keys stay unreadable."
        return Finding(code, title, "problem", error.detail, fix)
    return good(code=code, title=title, detail="At hand.")


def _static_files(_now: datetime) -> Finding:
    """The front-end files were put in place."""
    code, title = "static_files", "Front-end files"
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        fix = "Run ./coinsphere up, or ./coinsphere manage collectstatic."
        return Finding(code, title, "warning", "They have not been collected yet.", fix)
    return good(code=code, title=title, detail="In place.")


CHECKS: tuple[Check, ...] = (
    _database,
    _migrations,
    _redis,
    _processes,
    _data_folder,
    _disk,
    _secret_files,
    _vault,
    _static_files,
)
