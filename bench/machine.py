"""What the operating system says about a process and its children."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _parent(pid: int) -> int:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.rpartition(")")[2].split()[1])


def family(pid: int) -> list[int]:
    """Return the process and all its descendants."""
    parents = {int(entry.name): _parent(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit()}
    found = [pid]
    for member in found:
        found.extend(child for child, parent in parents.items() if parent == member)
    return found


def _pss_lines(pid: int) -> Iterator[int]:
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return
    yield from (int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def pss_mib(pid: int) -> float:
    """Return the proportional memory of one process in MiB."""
    return sum(_pss_lines(pid)) / 1024


def cpu_seconds(pids: list[int]) -> float:
    """Return the processor time that the processes have used so far."""
    total = 0
    for pid in pids:
        try:
            text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = text.rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def command_of(pid: int) -> str:
    """Return the command line of a process, shortened."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()
