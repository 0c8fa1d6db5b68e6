"""Starting and ending one child process, and the guard that ends them all should the supervisor be killed."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from apps.operations.domain.processes import Program

_ON_LINUX = sys.platform == "linux"
_LIBC = ctypes.CDLL(None, use_errno=True) if _ON_LINUX else None
_PR_SET_PDEATHSIG = 1


class Guard:
    """Our line to the guard process; it outlives us by the few seconds it takes to clean up."""

    def __init__(self, *, keep_open: int) -> None:
        self._keep_open = keep_open
        self._facts: dict[str, str] = {}
        self._start()

    def _start(self) -> None:
        script = str(Path(__file__).with_name("guard.py"))
        self._process = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(self._keep_open,),
            start_new_session=True,
            cwd="/",
            text=True,
            bufsize=1,
        )
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        self._pipe = self._process.stdin
        for fact in self._facts.values():
            self._say(fact)

    def check(self) -> None:
        """Start the guard again if somebody ended it."""
        if self._process.poll() is not None:
            self._start()

    def add(self, process: int, orphan_signal: signal.Signals) -> None:
        """Have the guard end this process."""
        self._facts[str(process)] = fact = f"add {process} {int(orphan_signal)}"
        self._say(fact)

    def drop(self, process: int) -> None:
        """The process has ended; its number may be a stranger's next."""
        self._facts.pop(str(process), None)
        self._say(f"drop {process}")

    def remove(self, path: Path) -> None:
        """Have the guard remove this file or folder."""
        self._facts[str(path)] = fact = f"remove {path}"
        self._say(fact)

    def done(self) -> None:
        """Everything is stopped: let the guard go, and with it the lock it keeps open."""
        self._say("done")
        with suppress(OSError):
            self._pipe.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        with suppress(OSError):  # a guard that was killed is replaced at the next check and told everything
            self._pipe.write(line + "\n")


class Child:
    """One running process, leader of a session of its own, so that the terminal's Ctrl-C reaches only us."""

    def __init__(self, program: Program, process: "subprocess.Popen[bytes]") -> None:
        self.program = program
        self.started_at = time.monotonic()
        self._process = process

    @property
    def number(self) -> int:
        """Return the process number."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, None while it lives."""
        return self._process.poll()

    @property
    def lived(self) -> float:
        """Return the seconds since it was started."""
        return time.monotonic() - self.started_at

    def ask_to_stop(self) -> None:
        """Send the signal on which the program ends by itself."""
        if self.exit_code is None:
            self._process.send_signal(self.program.stop_signal)

    def end(self) -> None:
        """Kill the process and everything left in its group, and take note of its end."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.number, signal.SIGKILL)
        self._process.wait()


def spawn(program: Program, *, environment: Mapping[str, str], output: IO[bytes], default_folder: Path) -> Child:
    """Start the program. Only ever called from the main thread: the death signal comes when that thread ends."""
    account = program.account
    process = subprocess.Popen(  # noqa: S603 - the table's programs, no shell
        program.argv,
        env=dict(environment),
        cwd=program.folder or default_folder,
        stdin=_input(program.stdin),
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=account.user_id if account else None,
        group=account.group_id if account else None,
        extra_groups=[] if account else None,
        preexec_fn=bound_to_parent(program.orphan_signal, program.niceness),  # noqa: PLW1509 - we run no threads
    )
    return Child(program, process)


def bound_to_parent(orphan_signal: signal.Signals, niceness: int = 0) -> Callable[[], None]:
    """Return what a child does before its program: ask Linux for a signal when we die, and check that we live."""
    parent = os.getpid()

    def bind() -> None:
        if niceness:
            os.nice(niceness)
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(orphan_signal))
            if os.getppid() != parent:
                os._exit(1)

    return bind


def _input(text: str) -> IO[bytes] | int:
    if not text:
        return subprocess.DEVNULL
    handle = tempfile.TemporaryFile()  # noqa: SIM115 - the child inherits it
    handle.write(text.encode())
    handle.seek(0)
    return handle
