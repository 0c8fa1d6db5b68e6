"""Keeps a set of processes alive: starts them in order, restarts what ends, stops all in reverse."""

import select
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType

from apps.operations.domain.processes import Program, StartError
from apps.operations.domain.restarts import failures_after, restart_delay
from apps.operations.supervisor.children import Child, Guard, spawn
from apps.operations.supervisor.folder import CODE, DataFolder
from apps.operations.supervisor.journals import Journal

_IDLE = 1.0
_BUSY = 0.05
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequestedError(Exception):
    """Somebody wants the product to stop: Ctrl-C, SIGTERM or a closed terminal."""


class _Post:
    """A program that has to run, and whoever fills the post at the moment."""

    def __init__(self, program: Program, journal: Journal, before: Callable[[], bool]) -> None:
        self.program = program
        self.journal = journal
        self.before = before
        self.child: Child | None = None
        self.failures = 0
        self.due_at = 0.0


class House:
    """All processes of one supervisor."""

    def __init__(self, folder: DataFolder, *, say: Callable[[str], None], environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self.guard = Guard(keep_open=folder.lock_descriptor)
        self._say = say
        self._posts: list[_Post] = []
        self._extras: list[Child] = []
        self._starting = True
        self._stop_signals = 0
        self._heed_stop = True
        self._bell, self._rung = socket.socketpair()
        for end in (self._bell, self._rung):
            end.settimeout(0.0)
        self.listen()

    # --- signals ----------------------------------------------------------------------------------------------------
    def listen(self) -> None:
        """Take the signals that mean stop as a request to stop in order."""
        signal.set_wakeup_fd(self._rung.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _STOP_SIGNALS:
            signal.signal(number, self._note_stop)

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_signals += 1

    def sleep(self, seconds: float) -> None:
        """Wait, or wake early because a child ended or a signal came."""
        select.select([self._bell], [], [], seconds)
        with suppress(BlockingIOError):
            while self._bell.recv(512):
                pass
        if self._stop_signals and self._heed_stop:
            raise StopRequestedError

    # --- starting ---------------------------------------------------------------------------------------------------
    def start(self, program: Program, *, before: Callable[[], bool] = lambda: True) -> None:
        """Fill a new post; `before` says whether the ground is clear for the program."""
        post = _Post(
            program, Journal(self.folder.logs, program.name, say=None if program.is_service else self._tell), before
        )
        self._posts.append(post)
        self.wait_until(before, seconds=_patience(program), failure=f"{program.name} of an earlier run does not end.")
        self._fill(post)

    def step(self, program: Program, *, failure: str, seconds: float) -> None:
        """Run a program to its end; anything but success ends the start."""
        journal = Journal(self.folder.logs, program.name)
        began_at = journal.size()
        child = self._spawn(program, journal)
        self._extras.append(child)
        self.wait_until(lambda: child.exit_code is not None, seconds=seconds, failure=f"{failure} It took too long.")
        self._extras.remove(child)
        self._bury(child)
        if child.exit_code:
            words = journal.last_words(since=began_at)
            raise StartError(f"{failure} {words} (All of it: {journal.path})")

    def assist(self, program: Program) -> None:
        """Start a program that may end as it likes, and that nobody waits for."""
        self._extras.append(self._spawn(program, Journal(self.folder.logs, program.name)))

    def wait_until(
        self, check: Callable[[], bool], *, seconds: float, failure: str | Callable[[], str], pause: float = _BUSY
    ) -> None:
        """Wait for the check to hold; fail at once when a process ends meanwhile."""
        deadline = time.monotonic() + seconds
        while not check():
            if time.monotonic() > deadline:
                raise StartError(failure if isinstance(failure, str) else failure())
            self.sleep(pause)
            self._tend()

    def _fill(self, post: _Post) -> None:
        post.child = self._spawn(post.program, post.journal)
        pid_file = self.folder.run / f"{post.program.name}.pid"
        with suppress(OSError):  # a note for people; a full disk must not end what runs
            pid_file.write_text(f"{post.child.number}\n", encoding="utf-8")

    def _spawn(self, program: Program, journal: Journal) -> Child:
        with journal.open() as output:
            child = spawn(program, environment=self.environment, output=output, default_folder=CODE)
        self.guard.add(child.number, program.orphan_signal)
        return child

    def _bury(self, child: Child) -> None:
        child.end()
        self.guard.drop(child.number)

    # --- watching ---------------------------------------------------------------------------------------------------
    def settle(self) -> None:
        """The start is over: from now on what ends is started again."""
        self._starting = False

    def watch(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Keep everything running until told to stop, or until the check holds."""
        while not until():
            self.sleep(min([_IDLE, *(max(0.0, post.due_at - time.monotonic()) for post in self._vacant())]))
            self._tend()

    def _vacant(self) -> list[_Post]:
        return [post for post in self._posts if post.child is None]

    def _tend(self) -> None:
        self.guard.check()
        for child in [child for child in self._extras if child.exit_code is not None]:
            if not self._starting:
                self._extras.remove(child)
                self._bury(child)
        for post in self._posts:
            if post.child is not None and post.child.exit_code is not None:
                self._take_leave(post, post.child)
            if post.child is None and not self._starting and time.monotonic() >= post.due_at and post.before():
                self._fill(post)
            post.journal.follow()

    def _take_leave(self, post: _Post, child: Child) -> None:
        code = child.exit_code
        self._bury(child)
        post.child = None
        name, words = post.program.name, post.journal.last_words()
        if self._starting:
            raise StartError(f"{name} ended while starting. {words} (All of it: {post.journal.path})")
        post.failures = failures_after(failures=post.failures, lived=child.lived)
        delay = restart_delay(failures=post.failures)
        post.due_at = time.monotonic() + delay
        self._say(
            f"{name} ended unexpectedly ({_ending(code)}); it starts again in {delay:g} s. See {post.journal.path}"
        )

    def _tell(self, line: str) -> None:
        """Pass a process's warning on, but not what it grumbles while things start or stop."""
        if self._heed_stop and not self._starting:
            self._say(line)

    # --- stopping ---------------------------------------------------------------------------------------------------
    def stop(self) -> None:
        """Stop everything in reverse order: first the product, then, one by one, the services it stands on."""
        self._heed_stop = False
        heard = self._stop_signals
        running = [post.child for post in self._posts if post.child is not None]
        product = [child for child in running if not child.program.is_service]
        groups = [[*reversed(self._extras), *reversed(product)]]
        groups += [[child] for child in reversed(running) if child not in product]
        for group in groups:
            self._stop_together(group, heard)
        for post in self._posts:
            (self.folder.run / f"{post.program.name}.pid").unlink(missing_ok=True)

    def _stop_together(self, group: list[Child], heard: int) -> None:
        for child in group:
            child.ask_to_stop()
        deadline = time.monotonic() + max([child.program.stop_patience for child in group], default=0.0)
        while any(child.exit_code is None for child in group):
            if time.monotonic() > deadline or self._stop_signals > heard + 1:  # one more may be an echo of the first
                break
            self.sleep(_BUSY)
        for child in group:
            self._bury(child)

    def close(self) -> None:
        """Let go of the guard and of the signals."""
        self.guard.done()
        signal.set_wakeup_fd(-1)
        for number in (*_STOP_SIGNALS, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        self._bell.close()
        self._rung.close()


def _patience(program: Program) -> float:
    return program.stop_patience + 15.0


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"
