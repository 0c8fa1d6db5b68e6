"""What the processes find: addresses and secrets in a private file, only the harmless in their environment."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from apps.operations.domain.processes import Addresses
from apps.operations.supervisor.folder import DataFolder

# An environment can be read in the process list by whoever shares the account; these go into services.env instead.
SECRET_NAMES = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "JWT_SIGNING_SEED",
    "MASTER_KEY",
    "MASTER_PASSPHRASE",
    "EMAIL_URL",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "BACKUP_PASSPHRASE",
)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_FIRST_PYTHON_WITHOUT_TENSORFLOW = (3, 14)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    data: Path
    addresses: Addresses
    feed: str = "simulator"
    demo: bool = True
    forecasts: bool = True
    as_json: bool = False

    @property
    def beyond_loopback(self) -> bool:
        """Say whether other machines can reach us."""
        return self.addresses.host not in _LOOPBACK

    @property
    def demo_sign_in(self) -> bool:
        """Say whether the demo account may sign in: never where strangers can reach it."""
        return self.demo and not self.beyond_loopback

    @property
    def with_feed(self) -> bool:
        """Say whether prices are wished for."""
        return self.feed != "off"

    @property
    def with_simulator(self) -> bool:
        """Say whether the exchanges of the demo world run."""
        return self.feed == "simulator"

    @property
    def with_trainer(self) -> bool:
        """Say whether forecasts can be trained: wished for, and TensorFlow exists for this Python."""
        return self.forecasts and sys.version_info < _FIRST_PYTHON_WITHOUT_TENSORFLOW


def environment(folder: DataFolder, outside: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the children: ours without secrets, and the data folder's name."""
    left_out = {*SECRET_NAMES, "PYTHONDONTWRITEBYTECODE"}  # without byte code each process is 12 MB larger
    kept = {name: value for name, value in outside.items() if name not in left_out}
    return kept | {
        "COINSPHERE_DATA": str(folder.root),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PROMETHEUS_MULTIPROC_DIR": str(folder.metrics),
        "PYTHONUNBUFFERED": "1",
        "CELERY_SKIP_CHECKS": "1",  # `check` has run them; here they would load every page into the workers
        "MALLOC_ARENA_MAX": "2",  # threads share two heaps instead of sixteen
    }


def facts(
    wishes: Wishes, *, names: tuple[str, ...], started_at: datetime, outside: Mapping[str, str]
) -> dict[str, str]:
    """Return what services.env says besides the addresses of the two services."""
    secrets = {name: outside[name] for name in SECRET_NAMES if outside.get(name)}
    public, live = public_addresses(wishes, outside)
    return secrets | {
        "PUBLIC_URL": public,
        "LIVE_PUBLIC_URL": live,
        "LISTEN_HOST": wishes.addresses.host,
        "ENABLED_PROCESSES": ",".join(names),
        "STARTED_AT": started_at.isoformat(),
        "FEED": wishes.feed,
        "WITH_ML": str(wishes.with_trainer).lower(),
        "DEMO": str(wishes.demo).lower(),
        "DEMO_SIGN_IN": str(wishes.demo_sign_in).lower(),
    }


def public_addresses(wishes: Wishes, outside: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Return the addresses of pages and socket as browsers see them; behind a proxy both are the same host."""
    public = outside.get("PUBLIC_URL", "").rstrip("/")
    live = outside.get("LIVE_PUBLIC_URL", "").rstrip("/")
    if public and not live:
        split = urlsplit(public)
        live = f"{'wss' if split.scheme == 'https' else 'ws'}://{split.netloc}"
    here = wishes.addresses
    return public or f"http://localhost:{here.port}", live or f"ws://localhost:{here.live_port}"
