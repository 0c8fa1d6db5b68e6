"""What every test stands on: its own Redis database, no network, fast hashing, and the shared fixtures."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from celery import current_app
from django.conf import settings
from pytest_socket import socket_allow_hosts

from apps.core import cache

pytest_plugins = ["apps.core.testing", "tests.side_by_side"]

_SPARE_DATABASE = 15


def _redis_url_of_this_worker() -> str:
    """Return the Redis that may be emptied: the one named in the environment, never that of a running product."""
    parts = urlsplit(settings.REDIS_URL)
    number = int(parts.path.strip("/") or 0) if "REDIS_URL" in os.environ else _SPARE_DATABASE
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker:
        number = (number + 1 + int(worker)) % (_SPARE_DATABASE + 1)
    return str(urlunsplit(parts._replace(path=f"/{number}")))


def pytest_configure() -> None:
    """Change the settings that tests need otherwise, before anything has read them."""
    # dozens of processes are started, and each would compile the whole product anew
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    url = _redis_url_of_this_worker()
    settings.REDIS_URL = settings.CELERY_BROKER_URL = url
    settings.CACHES["default"]["LOCATION"] = url
    layer, prefix = settings.CHANNEL_LAYERS["default"]["BACKEND"], urlsplit(url).path  # its channels span databases
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": layer, "CONFIG": {"hosts": [url], "prefix": prefix}}}
    current_app.conf.update(broker_url=url)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that is missing


def pytest_runtest_setup() -> None:
    """Let a test talk to this machine only."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _empty_redis() -> Iterator[None]:
    """Start each test with an empty Redis and no memory of an outage."""
    cache.health.forget()
    if cache.redis_is_up():
        cache.redis_client().flushdb()
    yield
    cache.health.forget()
