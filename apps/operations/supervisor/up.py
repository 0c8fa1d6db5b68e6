"""`up`: the whole product, from an empty data folder to a page that answers, until somebody stops it."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from apps.core import clock
from apps.operations.domain.processes import (
    READY_PATIENCE,
    SIMULATED_EXCHANGES,
    SIMULATED_PORTS,
    Program,
    StartError,
    product,
)
from apps.operations.supervisor import surroundings, voice
from apps.operations.supervisor.embedded import start_services
from apps.operations.supervisor.folder import CODE, DataFolder, refused
from apps.operations.supervisor.house import House, StopRequestedError
from apps.operations.supervisor.ports import Claims, demand
from apps.operations.supervisor.preparing import is_prepared, prepare
from apps.operations.supervisor.readiness import Doors, reachable
from apps.operations.supervisor.surroundings import Wishes

_EXPOSED = """
Other machines can reach this address, so:
  set PUBLIC_URL to the address people type, best an https one behind a proxy
  set ALLOWED_HOSTS to its name
  the demo account cannot sign in, and sign-in over plain http from other machines is refused"""


def run(wishes: Wishes) -> int:
    """Start everything, keep it running, stop it all; return the exit code."""
    speaker = voice.aside() if wishes.as_json else voice.people()
    folder = DataFolder(wishes.data)
    try:
        folder.prepare()
        folder.lock(purpose="up")
        _demand_ports(wishes)
        return _live(folder, wishes, speaker)
    except StartError as error:
        voice.aside().say(str(error))
        return 1
    except OSError as error:
        voice.aside().say(refused(error, folder))
        return 1
    finally:
        folder.release()


def _live(folder: DataFolder, wishes: Wishes, speaker: voice.Voice) -> int:
    environment = surroundings.environment(folder, os.environ)
    house, claims = House(folder, say=speaker.say, environment=environment), Claims()
    house.guard.remove(folder.services_file)
    try:
        _start(house, wishes, speaker, simulated=simulated_ports(claims) if wishes.with_simulator else {})
        house.watch()
    except StopRequestedError:
        speaker.say("Stopping.")
    finally:
        house.stop()
        folder.forget_services()
        house.close()
        claims.release()
    return 0


def _demand_ports(wishes: Wishes) -> None:
    here = wishes.addresses
    if here.port == here.live_port:
        raise StartError(f"Pages and socket cannot share port {here.port}. Choose another with --live-port.")
    demand(host=here.host, port=here.port, option="--port")
    demand(host=here.host, port=here.live_port, option="--live-port")


def _start(house: House, wishes: Wishes, speaker: voice.Voice, *, simulated: Mapping[str, int]) -> None:
    folder, started_at = house.folder, clock.now()
    speaker.say("Starting Coinsphere")
    services = start_services(house, done=speaker.done)
    for warning in services.warnings:
        speaker.say(f"  {warning}")
    programs = product(
        python=sys.executable,
        data=str(folder.root),
        addresses=wishes.addresses,
        with_trainer=wishes.with_trainer,
        with_feed=wishes.with_feed,
        simulated=simulated,
    )
    exchanges = {name: f"http://127.0.0.1:{port}" for name, port in simulated.items()}
    own = {"EXCHANGE_BASE_URLS": json.dumps(exchanges)} if exchanges else {}
    _write_facts(folder, wishes, services.as_pairs() | own, programs, started_at)
    wanted = ("--with-demo",) if wishes.demo else ()
    early = programs if not os.environ.get("DATABASE_URL") and is_prepared(folder) else ()
    for program in early:  # nothing has changed: they need not wait for the step that finds that out
        house.start(program)
    prepare(house, *wanted)
    speaker.done("tables and files")
    folder.note(purpose="up", ready=True)
    for program in programs[len(early) :]:
        house.start(program)
    doors = _doors(wishes)
    house.wait_until(
        doors.are_open,
        seconds=READY_PATIENCE,
        failure=lambda: f"Not every process answered in time: {doors.missing()}. See {folder.logs}",
        pause=0.2,
    )
    house.settle()
    speaker.done("processes", note=", ".join(program.name for program in programs))
    folder.note(purpose="up", url=_url(wishes), ready=True)
    _report(folder, wishes, exchanges, speaker)
    if wishes.with_trainer:
        house.assist(Program("forecast-setup", (sys.executable, str(CODE / "coinsphere"), "_ml"), niceness=10))


def _write_facts(
    folder: DataFolder, wishes: Wishes, pairs: dict[str, str], programs: tuple[Program, ...], started_at: datetime
) -> None:
    shutil.rmtree(folder.metrics)  # the counters of processes that are gone
    folder.metrics.mkdir()
    names = tuple(program.name for program in programs)
    folder.write_services(
        surroundings.facts(wishes, names=names, started_at=started_at, outside=os.environ) | pairs,
    )


def _doors(wishes: Wishes) -> Doors:
    here = wishes.addresses
    name = urlsplit(surroundings.public_addresses(wishes)[0]).netloc
    return Doors(host=reachable(here.host), port=here.port, live_port=here.live_port, name=name)


def simulated_ports(claims: Claims) -> dict[str, int]:
    """Claim a port for each exchange of the demo world: the usual one, or any where that is taken."""
    pairs = zip(SIMULATED_EXCHANGES, SIMULATED_PORTS, strict=True)
    return {name: port if claims.take(port) else claims.take_any() for name, port in pairs}


def _url(wishes: Wishes) -> str:
    return f"http://localhost:{wishes.addresses.port}"


def _report(folder: DataFolder, wishes: Wishes, exchanges: dict[str, str], speaker: voice.Voice) -> None:
    accounts = _accounts(folder, wishes)
    if wishes.as_json:
        world = {"simulator": exchanges} if exchanges else {}
        voice.announce({"url": _url(wishes), **accounts, **world})
    speaker.say()
    speaker.say(f"Coinsphere is ready at {_url(wishes)}")
    for name, account in accounts.items():
        speaker.say(f"  {name:<6} {account['email']}  {account['password']}")
    if wishes.beyond_loopback and not os.environ.get("PUBLIC_URL"):
        speaker.say(_EXPOSED)
    speaker.say("Ctrl-C stops it.")


def _accounts(folder: DataFolder, wishes: Wishes) -> dict[str, dict[str, str]]:
    """Return how to sign in, as it was noted at the first start; only what works now."""
    try:
        noted = json.loads(folder.first_run_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    allowed = ("demo", "admin") if wishes.demo_sign_in else ("admin",)
    return {
        name: {"email": noted[name]["email"], "password": noted[name]["password"]} for name in allowed if name in noted
    }
