"""The simulated exchanges on real sockets, once for all tests of a session that ask for them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings

from apps.exchanges.tests.simulated import Simulated


@pytest.fixture(scope="session")
def simulator_addresses() -> Iterator[dict[str, str]]:
    """Run the simulator on free ports."""
    command = [sys.executable, str(django_settings.BASE_DIR / "manage.py"), "simulate", "--ports", "0,0,0,0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture
def simulated(simulator_addresses: dict[str, str], settings: Any) -> Iterator[Simulated]:
    """Point the product at the simulated exchanges, and clear their faults afterwards."""
    settings.EXCHANGE_BASE_URLS = dict(simulator_addresses)
    talk = Simulated(simulator_addresses)
    yield talk
    talk.clear()
