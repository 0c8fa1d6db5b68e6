"""How much memory a process and its children take, as Linux counts it; elsewhere nobody knows."""

from pathlib import Path

_PROC = Path("/proc")


def memory_mib(*, pid: int) -> int | None:
    """Return the proportional memory of a process and its children in MiB, or nothing where it cannot be read."""
    shares = [_share(member) for member in (pid, *_children(pid))]
    known = [share for share in shares if share is not None]
    return round(sum(known) / 1024) if known else None


def _children(pid: int) -> list[int]:
    children: list[int] = []
    for listing in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            children.extend(int(child) for child in listing.read_text(encoding="ascii").split())
        except OSError:  # the thread ended while we looked
            continue
    return children


def _share(pid: int) -> int | None:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:  # ended, not ours to see, or not Linux
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), None)
