"""What the supervisor says on the terminal: few lines, each of use; with --json, one line for programs."""

import json
import sys
import time
from collections.abc import Mapping
from typing import TextIO

_COLUMN = 16


class Voice:
    """Speaks to people on one stream; standard output stays free for whoever asked for JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._began_at = time.monotonic()

    def say(self, line: str = "") -> None:
        """Write one line at once."""
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def done(self, what: str, *, note: str = "") -> None:
        """Say that a part of the start is finished, and how long it took."""
        took = time.monotonic() - self._began_at
        self._began_at = time.monotonic()
        self.say(f"  {what:<{_COLUMN}}  {note or 'ready'}, {took:.1f} s")


def people() -> Voice:
    """Return the voice for a person at the terminal."""
    return Voice(sys.stdout)


def aside() -> Voice:
    """Return the voice for when standard output belongs to somebody else."""
    return Voice(sys.stderr)


def announce(facts: Mapping[str, object]) -> None:
    """Write the one line of JSON that a program waits for."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
