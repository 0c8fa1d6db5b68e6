"""The folder in which every process on this machine keeps its counters, added up for one answer."""

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

_ENDED = "ended"
_SUMMED = ("counter", "histogram")


def folder() -> Path | None:
    """Return the folder, or nothing when this process counts for itself alone."""
    name = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(name) if name else None


@contextmanager
def shared_registry() -> Iterator[CollectorRegistry]:
    """Yield a registry of the metrics of all processes, ended ones included; one reader at a time."""
    here = folder()
    if here is None:
        yield REGISTRY
        return
    here.mkdir(parents=True, exist_ok=True)
    with (here / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        retire_ended(here)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(here))  # type: ignore[no-untyped-call]
        yield registry


def retire_ended(here: Path) -> int:
    """Move the counters of ended processes into one file, so that sums never fall and files never pile up."""
    ended = [path for path in here.glob("*.db") if _has_ended(path)]
    for kind in _SUMMED:
        files = [path for path in ended if path.name.startswith(f"{kind}_")]
        if files:
            _merge(files, here / f"{kind}_{_ENDED}.db")
    for path in ended:
        path.unlink(missing_ok=True)
    return len(ended)


def _has_ended(path: Path) -> bool:
    owner = path.stem.rpartition("_")[2]
    if not owner.isdigit():
        return False
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _merge(files: list[Path], target: Path) -> None:
    sums: defaultdict[str, float] = defaultdict(float)
    for path in [*files, *([target] if target.exists() else [])]:
        for key, value, _written_at, _position in MmapedDict.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]
            sums[key] += value
    draft = target.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    merged = MmapedDict(str(draft))  # type: ignore[no-untyped-call]
    for key, value in sums.items():
        merged.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    merged.close()  # type: ignore[no-untyped-call]
    draft.rename(target)
