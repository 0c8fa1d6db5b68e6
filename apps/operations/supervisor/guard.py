"""Ends what the supervisor started, should the supervisor itself be killed; run by path, standard library only.

Its standard input is a pipe from the supervisor: "add PROCESS SIGNAL", "drop PROCESS", "remove PATH", "done".
End of file without "done" means that the supervisor is gone.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress

_PATIENCE = 5.0
_STEP = 0.05


def main() -> int:
    """Listen until the supervisor is done or gone."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    processes: dict[int, int] = {}
    paths: list[str] = []
    if not _listen(processes, paths):
        _end(processes)
        _remove(paths)
    return 0


def _listen(processes: dict[int, int], paths: list[str]) -> bool:
    """Keep the lists as the supervisor tells us; True when it has finished by itself."""
    for line in sys.stdin:
        verb, _, rest = line.rstrip("\n").partition(" ")
        if verb == "add":
            process, number = rest.split()
            processes[int(process)] = int(number)
        elif verb == "drop":
            processes.pop(int(rest), None)
        elif verb == "remove":
            paths.append(rest)
        elif verb == "done":
            return True
    return False


def _end(processes: dict[int, int]) -> None:
    for process, number in reversed(processes.items()):
        with suppress(OSError):
            os.kill(process, number)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and any(_lives(process) for process in processes):
        time.sleep(_STEP)
    for process in processes:
        with suppress(OSError):
            os.killpg(process, signal.SIGKILL)


def _remove(paths: list[str]) -> None:
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - pathlib would double this process's memory
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - as above


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
