"""From where a ledger can be booked on: the newest checkpoint before its first change, and the lots of that moment."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import zstandard
from django.db.models import Count, Min

from apps.portfolios.domain.booking.checkpoints import DamagedError, LotRow
from apps.portfolios.domain.faults import Faults
from apps.portfolios.models import BookedLots, BookedResult, Checkpoint, LedgerChange, Portfolio, Transaction

#: Rises when the engine would book the same entries otherwise.
ENGINE: Final = 2
#: Rises when what is kept at a checkpoint changes its shape or its meaning.
_FORMAT: Final = 1
_LEVEL: Final = 3
_SEAL_BYTES: Final = 32
_LATEST: Final = datetime.max.replace(tzinfo=UTC)

BasisKey = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Resting:
    """A checkpoint: the result that it belongs to, what came before it, and the state that booking goes on from."""

    result: BookedResult
    position: int
    until: datetime
    chain: bytes
    head: dict[str, Any]
    faults: Faults


def checkpoint_of(*, result: BookedResult) -> Checkpoint | None:
    """Return the newest checkpoint of a result that nothing before has changed since, or nothing."""
    since = changed_since(portfolio=result.portfolio, version=result.version)
    if since is None:
        return None
    return Checkpoint.objects.filter(result=result, until__lt=since).order_by("-position").first()


def entries_behind(*, result: BookedResult, most: int) -> int:
    """Count the entries that are to be booked again to bring a result up to date, one more than the most at most."""
    rows = Transaction.objects.filter(portfolio=result.portfolio).standing()
    row = checkpoint_of(result=result)
    if row is not None:
        rows = rows.filter(at__gt=row.until)
    return rows.order_by()[: most + 1].count()


def resting_of(*, portfolio: Portfolio, policy_hash: str) -> Resting | None:
    """Return the state that booking may go on from, or nothing; raise `DamagedError`."""
    result = BookedResult.objects.filter(portfolio=portfolio, policy_hash=policy_hash).first()
    if result is None:
        return None
    result.portfolio = portfolio
    row = checkpoint_of(result=result)
    if row is None:
        return None
    kept = unsealed(body=row.body, label=label_of(result=result, position=row.position, chain=row.chain))
    short, unbooked, explained = kept["faults"]
    faults = Faults(short, unbooked, frozenset(explained))
    return Resting(result, row.position, row.until, bytes.fromhex(row.chain), kept["head"], faults)


def changed_since(*, portfolio: Portfolio, version: int) -> datetime | None:
    """Return the earliest moment that changed after a version; nothing where a change has not said since when."""
    changes = LedgerChange.objects.filter(portfolio=portfolio, version__gt=version, version__lte=portfolio.version)
    found = changes.aggregate(count=Count("pk"), since=Min("since"))
    if found["count"] != portfolio.version - version:
        return None
    since: datetime | None = found["since"]
    return since or _LATEST


def lots_at(
    *, result: BookedResult, position: int | None = None, assets: Collection[str] | None = None
) -> dict[BasisKey, list[LotRow]]:
    """Return the open lots of these assets, or of all, as they were at a checkpoint, or are at the end."""
    rows = BookedLots.objects.filter(result=result)
    if assets is not None:
        rows = rows.filter(asset__in=assets)
    if position is not None:
        rows = rows.filter(position__lte=position)
    latest = rows.order_by("asset", "account", "-position").distinct("asset", "account")
    found: dict[BasisKey, list[LotRow]] = {}
    for asset, account, at, body in latest.values_list("asset", "account", "position", "body"):
        label = label_of(result=result, position=at, basis=(asset, account))
        found[asset, account or None] = unsealed(body=body, label=label)
    return found


def checkpoint_positions(*, result: BookedResult, before: int) -> list[int]:
    """Return where states are kept, as far as a position."""
    rows = Checkpoint.objects.filter(result=result, position__lte=before)
    return list(rows.order_by("position").values_list("position", flat=True))


# --- Seals ------------------------------------------------------------------------------------------------------------
def label_of(*, result: BookedResult, position: int, chain: str = "", basis: tuple[str, str] = ("", "")) -> str:
    """Return what a kept body is of: one of another ledger, other rules or another place does not bear it."""
    return repr((_FORMAT, ENGINE, str(result.portfolio_id), result.policy_hash, position, chain, *basis))


def sealed(*, body: object, label: str) -> bytes:
    """Return a body as it is kept, with the hash of it and of what it is of."""
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(orjson.dumps(body))
    return _seal(packed, label) + packed


def unsealed(*, body: bytes | memoryview, label: str) -> Any:  # noqa: ANN401 - whatever was kept
    """Return a body that was kept, or raise `DamagedError` where it is not as it was, or of something else."""
    kept = bytes(body)
    seal, packed = kept[:_SEAL_BYTES], kept[_SEAL_BYTES:]
    if seal != _seal(packed, label):
        raise DamagedError("A checkpoint is damaged, of another engine, or of something else.")
    return orjson.loads(zstandard.ZstdDecompressor().decompress(packed))


def _seal(packed: bytes, label: str) -> bytes:
    return hashlib.sha256(label.encode() + b"\0" + packed).digest()
