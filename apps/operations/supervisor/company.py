"""`with_services`: PostgreSQL and Redis for as long as one command runs."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from apps.operations.domain.processes import StartError
from apps.operations.gateways.unprivileged import shared_folder
from apps.operations.supervisor import surroundings, voice
from apps.operations.supervisor.children import bound_to_parent
from apps.operations.supervisor.embedded import start_services
from apps.operations.supervisor.folder import DataFolder, read_pairs, refused
from apps.operations.supervisor.house import House, StopRequestedError
from apps.operations.supervisor.preparing import prepare_tables

_BOTH = ("DATABASE_URL", "REDIS_URL")
_START_PATIENCE = 90.0
_COMMAND_NOT_FOUND = 127
_SIGNAL_BASE = 128


def run(*, data: Path, command: Sequence[str], throwaway: bool) -> int:
    """Run the command with services around it; return its exit code."""
    folder = DataFolder(data)
    try:
        return _on_throwaway(command) if throwaway else _on_data(folder, command)
    except StartError as error:
        voice.aside().say(str(error))
    except OSError as error:
        voice.aside().say(refused(error, folder))
    return 1


def _on_throwaway(command: Sequence[str]) -> int:
    root = Path(tempfile.mkdtemp(prefix="coinsphere-"))
    root.chmod(0o711)  # the database's account has to pass through
    folder = DataFolder(root)
    try:
        folder.prepare()
        folder.lock(purpose="throw-away services")
        return _host(folder, command, throwaway=True)
    finally:
        folder.release()
        outside = shared_folder(data=root)
        for place in (root, outside):
            if place is not None:
                shutil.rmtree(place, ignore_errors=True)


def _on_data(folder: DataFolder, command: Sequence[str]) -> int:
    folder.prepare()
    if all(os.environ.get(name) for name in _BOTH):
        return _replace_ourselves(command, os.environ | {"COINSPHERE_DATA": str(folder.root)})
    deadline = time.monotonic() + _START_PATIENCE
    purpose = " ".join(command)[:80]
    while not folder.try_lock(purpose=purpose):
        if folder.enter_as_guest():
            if folder.welcomes_guests():
                return _replace_ourselves(command, os.environ | {"COINSPHERE_DATA": str(folder.root)})
            folder.leave_as_guest()
        if time.monotonic() > deadline:
            raise StartError(f"The services of {folder.root} neither start nor end. See {folder.logs}.")
        time.sleep(0.1)
    return _host(folder, command, throwaway=False)


def _replace_ourselves(command: Sequence[str], environment: Mapping[str, str]) -> int:
    try:
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 - the command that was asked for
    except OSError as error:
        voice.aside().say(f"{command[0]} cannot be run: {error.strerror}.")
        return _COMMAND_NOT_FOUND


def _host(folder: DataFolder, command: Sequence[str], *, throwaway: bool) -> int:
    """Be the one who runs the services."""
    house = House(folder, say=voice.aside().say, environment=surroundings.environment(folder, os.environ))
    house.guard.remove(folder.root if throwaway else folder.services_file)
    try:
        services = start_services(house, durable=not throwaway, done=lambda _what: None)
        if throwaway:
            outside = shared_folder(data=folder.root)
            if outside is not None:
                house.guard.remove(outside)
        else:
            kept = {name: os.environ[name] for name in surroundings.SECRET_NAMES if os.environ.get(name)}
            folder.write_services(kept | services.as_pairs())
            prepare_tables(house)
            folder.note(purpose=" ".join(command)[:80], ready=True)
        house.settle()
        own = _throwaway_values(folder, services.as_pairs()) if throwaway else {"COINSPHERE_DATA": str(folder.root)}
        code = _accompany(house, command, os.environ | own)
        _see_guests_off(house)
    except StopRequestedError:
        return _SIGNAL_BASE + signal.SIGTERM
    else:
        return code
    finally:
        house.stop()
        folder.forget_services()
        house.close()


def _throwaway_values(folder: DataFolder, pairs: Mapping[str, str]) -> dict[str, str]:
    known = read_pairs(folder.root / "secrets.env")
    return {
        **pairs,
        "COINSPHERE_DATA": str(folder.root),
        "SECRET_KEY": known["SECRET_KEY"],
        "JWT_SIGNING_SEED": known["JWT_SIGNING_SEED"],
        "MASTER_KEY_FILE": str(folder.root / "master.key"),
    }


def _accompany(house: House, command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command in the foreground, pass signals on to it, and keep the services up meanwhile."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the command that was asked for
            list(command),
            env=dict(environment),
            preexec_fn=bound_to_parent(signal.SIGTERM),  # noqa: PLW1509 - we run no threads
        )
    except OSError as error:
        voice.aside().say(f"{command[0]} cannot be run: {error.strerror}.")
        return _COMMAND_NOT_FOUND
    house.guard.add(process.pid, signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: _pass_on(process, received))
    house.watch(until=lambda: process.poll() is not None)
    house.guard.drop(process.pid)
    house.listen()
    return process.returncode if process.returncode >= 0 else _SIGNAL_BASE - process.returncode


def _pass_on(process: "subprocess.Popen[bytes]", number: int) -> None:
    """Send the signal on, unless the terminal has already sent it to everyone in the foreground."""
    if number == signal.SIGINT and sys.stdin is not None and sys.stdin.isatty():
        return
    with suppress(ProcessLookupError):
        process.send_signal(number)


def _see_guests_off(house: House) -> None:
    """Wait for other commands that came to use our services."""
    if not house.folder.close_to_guests():
        voice.aside().say("Waiting for another command that uses the same services.")
        house.watch(until=house.folder.close_to_guests)
