"""What each process loads: nothing heavy that it does not use, and of large packages only the parts asked for."""

import os
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from django.contrib.admin.checks import check_admin_app

from apps.operations.supervisor.folder import CODE
from config.lazy import LazyPackage

#: Heavy for everybody; these belong to a task that is running or to nobody.
NEVER = ("tensorflow", "keras", "pandas", "sklearn", "scipy", "matplotlib", "ccxt.pro", "ccxt.async_support", "sqlite3")
NO_CANDLES = ("numpy", "zstandard")
NO_EXCHANGE = ("ccxt", "aiohttp")
NO_PAGES = ("unfold.admin", "rest_framework.views", "drf_spectacular.plumbing", "django.test", "config.urls")
NO_SIGN_IN = ("fido2", "allauth.account.forms", "apps.accounts.actions.sign_in")

SET_UP = "import django; django.setup(); import apps.operations.heartbeat"
BEAT = "from config.celery import app; app.loader.init_worker(); app.finalize(); import config.beat, celery.bin.celery"
WORKER = "from config.worker import app; app.loader.init_worker(); app.finalize(); import celery.bin.celery"
FEED = "from django.core.management import load_command_class as load; load('apps.markets', 'feed')"
WEB = "from config.wsgi import get_wsgi_application; import config.urls"

ONE_VENUE = """
import config.lazy, sys
config.lazy.install()
import ccxt.pro
assert isinstance(ccxt.kraken, type) and ccxt.pro.kraken.__mro__[1] is ccxt.async_support.kraken
import ccxt.kraken
assert isinstance(ccxt.kraken, type), "importing the module must not put it where the class belongs"
from ccxt import NetworkError, base
from ccxt.async_support.coinbase import coinbase
assert ccxt.async_support.coinbase is coinbase
assert issubclass(NetworkError, ccxt.BaseError) and not hasattr(ccxt, "no_such_exchange")
"""


@cache
def loaded_by(code: str) -> frozenset[str]:
    """Return what a process of the product has loaded after this code, as Python and not as the test knows it."""
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        cwd=CODE,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "CELERY_SKIP_CHECKS": "1",
            "PYTHONDONTWRITEBYTECODE": "",
        },
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return frozenset(told.stdout.split())


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        pytest.param(f"{SET_UP}; {BEAT}", (*NO_CANDLES, *NO_EXCHANGE, *NO_PAGES, *NO_SIGN_IN), id="beat"),
        pytest.param(f"{SET_UP}; import config.asgi", (*NO_CANDLES, *NO_EXCHANGE, *NO_PAGES, *NO_SIGN_IN), id="live"),
        pytest.param(f"{SET_UP}; {FEED}", (*NO_PAGES, *NO_SIGN_IN), id="feed"),
        pytest.param(f"{SET_UP}; {WORKER}", ("config.urls",), id="worker"),
        pytest.param(f"{SET_UP}; {WEB}", NO_EXCHANGE, id="web"),
    ],
)
def test_a_process_loads_nothing_heavy_that_it_does_not_use(code: str, unwanted: tuple[str, ...]) -> None:
    assert {*NEVER, *unwanted} & loaded_by(code) == set()


def test_beat_knows_tasks_by_name_only() -> None:
    assert {name for name in loaded_by(f"{SET_UP}; {BEAT}") if name.startswith("apps.") and "tasks" in name} == set()
    assert "apps.markets.tasks" in loaded_by(f"{SET_UP}; {WORKER}")


def test_of_ccxt_only_what_is_asked_for_is_loaded() -> None:
    loaded = loaded_by(ONE_VENUE)
    assert {"ccxt.kraken", "ccxt.async_support.kraken", "ccxt.pro.kraken", "ccxt.async_support.coinbase"} <= loaded
    strangers = {"ccxt.binance", "ccxt.coinbase", "ccxt.async_support.binance", "ccxt.pro.coinbase", "ccxt.okx"}
    assert strangers & loaded == set()


def test_a_room_gives_every_name_it_promises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "apps" / "planted" / "actions"
    room.mkdir(parents=True)
    (room / "__init__.py").write_text(
        '"""A room."""\n\nfrom apps.planted.actions.send import send, told as heard\n'
        'from apps.planted.actions.used import USED\n\n__all__ = ["send", "heard", "ALSO"]\n\nALSO = USED + 1\n'
    )
    (room / "send.py").write_text("def send(): return 1\n\n\ndef told(): return 2\n")
    (room / "used.py").write_text("USED = 1\n")
    probe = (
        "import config, sys, apps; apps.__path__.append(sys.argv[1])\n"
        "import apps.planted.actions as room; assert 'apps.planted.actions.send' not in sys.modules\n"
        "assert room.ALSO == 2, 'what a room uses itself is there'\n"
        "import apps.planted.actions.send\n"
        "assert room.send() == 1 and room.heard() == 2, 'the function, not the module of its name'\n"
        "from apps.planted.actions import *; assert heard is room.heard and room.__doc__ == 'A room.'\n"
        "try: room.nothing\nexcept AttributeError as error: assert 'nothing' in str(error)\nelse: sys.exit(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(tmp_path / "apps")], cwd=CODE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_room_has_what_it_names() -> None:
    rooms = [path.parent for room in ("actions", "queries") for path in CODE.glob(f"apps/*/{room}/__init__.py")]
    names = [".".join(room.relative_to(CODE).parts) for room in rooms]
    assert {type(import_module(name)) for name in names} == {LazyPackage}
    assert [(name, word) for name in names for word in _missing(import_module(name))] == []


def _missing(room: ModuleType) -> list[str]:
    return [word for word in getattr(room, "__all__", ()) if not hasattr(room, word)]


def test_the_admin_is_sound() -> None:
    import config.urls  # noqa: F401 - from here on every app has registered what it shows

    assert check_admin_app(None) == []
