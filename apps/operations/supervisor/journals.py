"""One log file a process: kept small, and read along so that warnings also reach the terminal."""

import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from apps.operations.domain.processes import LOG_KEPT, LOG_LIMIT_BYTES
from apps.operations.supervisor.folder import open_private

_LOUD = re.compile(r"\[(?:warning|error|critical)\s*\]|\"level\": ?\"(?:warning|error|critical)\"|\b(?:FATAL|PANIC):")
# What a visitor did wrong, such as an address that does not exist: told in the log only.
_VISITORS_FAULT = re.compile(
    r"\[warning\s*\].*\[django\.(?:request|security\.\w+)\]"
    r"|(?=.*\"level\": ?\"warning\").*\"logger\": ?\"django\.(?:request|security\.\w+)\""
)
_SPEECH_SECONDS = 10.0
_SPEECH_LINES = 3
_LINE_LENGTH = 300
_READ_AT_ONCE = 256_000


class Journal:
    """The log of one process. The process appends to the file itself, so nothing is lost should we be killed."""

    def __init__(self, folder: Path, name: str, *, say: Callable[[str], None] | None = None) -> None:
        self.path = folder / f"{name}.log"
        self._name = name
        self._say = say
        self._read_to = self.path.stat().st_size if self.path.exists() else 0
        self._spoken: list[float] = []
        self._held_back = 0

    def open(self) -> IO[bytes]:
        """Return the file for a process to append to."""
        return open(self.path, "ab", opener=open_private)

    def last_words(self, *, since: int = 0) -> str:
        """Return the last line that was written, for a sentence about why a process ended."""
        try:
            with self.path.open("rb") as handle:
                handle.seek(max(since, self.size() - _READ_AT_ONCE))
                lines = handle.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        spoken = [line.strip() for line in lines if line.strip()]
        return spoken[-1][:_LINE_LENGTH] if spoken else ""

    def size(self) -> int:
        """Return how long the file is by now."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def follow(self) -> None:
        """Pass new warnings on, a few at a time, and shorten the file once it is full."""
        size = self.size()
        if size < self._read_to:
            self._read_to = 0
        if size > self._read_to:
            self._pass_on(size)
        if size > LOG_LIMIT_BYTES:
            self._rotate()

    def _pass_on(self, size: int) -> None:
        start = max(self._read_to, size - _READ_AT_ONCE)
        with self.path.open("rb") as handle:
            handle.seek(start)
            text = handle.read(size - start)
        whole = text.rfind(b"\n") + 1
        self._read_to = start + whole
        if self._say is None:
            return
        for line in text[:whole].decode(errors="replace").splitlines():
            if _LOUD.search(line) and not _VISITORS_FAULT.search(line):
                self._speak(line, self._say)

    def _speak(self, line: str, say: Callable[[str], None]) -> None:
        now = time.monotonic()
        self._spoken = [moment for moment in self._spoken if now - moment < _SPEECH_SECONDS]
        if len(self._spoken) >= _SPEECH_LINES:
            self._held_back += 1
            return
        if self._held_back:
            say(f"{self._name}: {self._held_back} more lines like these in {self.path}")
            self._held_back = 0
        self._spoken.append(now)
        say(f"{self._name}: {line.strip()[:_LINE_LENGTH]}")

    def _rotate(self) -> None:
        """Copy the file aside and empty it; the process goes on appending to it. On a full disk it is only emptied."""
        with suppress(OSError):
            self._keep_older()
        with self.path.open("r+b") as handle:
            handle.truncate()
        self._read_to = 0

    def _keep_older(self) -> None:
        for number in range(LOG_KEPT - 1, 0, -1):
            older = self.path.with_suffix(f".log.{number}")
            if older.exists():
                older.replace(self.path.with_suffix(f".log.{number + 1}"))
        copy = self.path.with_suffix(".log.1")
        try:
            copy.touch(mode=0o600)
            shutil.copyfile(self.path, copy)
        except OSError:
            copy.unlink(missing_ok=True)
            raise
