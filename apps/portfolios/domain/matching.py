"""Which coins that left are those that arrived: by hash first, then by score, each with its reasons.

A pair is proposed from `PROPOSED` on, and made by itself only from `CERTAIN` on, where no other pair comes near.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from enum import StrEnum
from itertools import combinations
from typing import Final

from apps.portfolios.domain.transactions import Entry

CERTAIN: Final = 95
PROPOSED: Final = 50
MOST_PROPOSALS: Final = 5

_DIGITS: Final = 200
_SECOND: Final = 1_000_000
_EARLY: Final = 10 * 60 * _SECOND
_LATE: Final = 48 * 3600 * _SECOND
_LATE_BY_HASH: Final = 14 * 24 * 3600 * _SECOND
_LEAST_ARRIVED: Final = Decimal("0.8")
_BASE: Final = 10
_AMOUNTS: Final = ((Decimal(0), 50), (Decimal("0.001"), 46), (Decimal("0.01"), 38), (Decimal("0.05"), 25))
_FAR_AMOUNT: Final = 10
_TIMES: Final = ((10 * 60, 35), (3600, 30), (12 * 3600, 20))
_FAR_TIME: Final = 8
_MOST_TOGETHER: Final = 12


class Reason(StrEnum):
    """Why a pair is likely."""

    SAME_HASH = "same_hash"
    SAME_AMOUNT = "same_amount"
    AMOUNT_LESS_FEE = "amount_less_fee"
    SOON_AFTER = "soon_after"
    WITHIN_TWO_DAYS = "within_two_days"
    TOGETHER = "arrived_in_parts"


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a transfer: coins that left an account, or that came into one."""

    id: str
    at_us: int
    asset: str
    amount: Decimal
    account: str
    tx_hash: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Coins that left, and what they may have arrived as."""

    out: str
    arrived: tuple[str, ...]
    score: int
    reasons: tuple[Reason, ...]


def proposals(outs: Iterable[Leg], ins: Iterable[Leg], *, refused: Collection[tuple[str, str]] = ()) -> list[Proposal]:
    """Return the likely pairs, the likeliest first; a pair that a person has parted is not among them."""
    by_asset: defaultdict[str, list[Leg]] = defaultdict(list)
    for leg in sorted(ins, key=lambda one: (one.at_us, one.id)):
        by_asset[leg.asset].append(leg)
    found: list[Proposal] = []
    for out in sorted(outs, key=lambda one: (one.at_us, one.id)):
        near = [
            leg
            for leg in by_asset[out.asset]
            if leg.account != out.account
            and (out.id, leg.id) not in refused
            and -_EARLY <= leg.at_us - out.at_us <= (_LATE_BY_HASH if _same_hash(out, leg) else _LATE)
        ]
        scored = [*_pairs(out, near), *_together(out, near)]
        found += sorted(scored, key=lambda one: (-one.score, one.arrived))[:MOST_PROPOSALS]
    return sorted(found, key=lambda one: (-one.score, one.out, one.arrived))


def certain(found: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals that need nobody's word: likely enough, and no other one claims any of their coins."""
    sure = [one for one in found if one.score >= CERTAIN]
    claims: defaultdict[str, int] = defaultdict(int)
    for one in sure:
        for leg in (one.out, *one.arrived):
            claims[leg] += 1
    return [one for one in sure if all(claims[leg] == 1 for leg in (one.out, *one.arrived))]


def merged(entries: Sequence[Entry], matches: dict[str, tuple[tuple[str, ...], Decimal | None]]) -> list[Entry]:
    """Return the entries with every matched pair as the transfer that it is; `matches` say what a fee is worth."""
    if not matches:
        return list(entries)
    by_id = {entry.id: entry for entry in entries}
    whole = {
        out: (tuple(by_id[one] for one in arrived), worth)
        for out, (arrived, worth) in matches.items()
        if out in by_id and all(one in by_id for one in arrived)
    }
    gone = {one.id for arrived, _worth in whole.values() for one in arrived}
    found: list[Entry] = []
    for entry in entries:
        if entry.id in whole:
            found += _transfers(entry, *whole[entry.id])
        elif entry.id not in gone:
            found.append(entry)
    return found


def _pairs(out: Leg, near: Iterable[Leg]) -> Iterator[Proposal]:
    for leg in near:
        differ = out.tx_hash and leg.tx_hash and not _same_hash(out, leg)
        if differ or leg.amount > out.amount or leg.amount < out.amount * _LEAST_ARRIVED:
            continue
        yield _scored(out, (leg,), leg.amount)


def _together(out: Leg, near: Sequence[Leg]) -> Iterator[Proposal]:
    """Yield parts that make up the whole: all with the hash, else two without another one."""
    same = [leg for leg in near if _same_hash(out, leg)]
    groups = [tuple(same)] if len(same) > 1 else []
    loose = [leg for leg in near if not (leg.tx_hash and out.tx_hash)][:_MOST_TOGETHER]
    groups += list(combinations(loose, 2))
    with localcontext() as context:
        context.prec = _DIGITS
        for group in groups:
            total = sum((leg.amount for leg in group), Decimal(0))
            if out.amount * (1 - _AMOUNTS[1][0]) <= total <= out.amount:
                yield _scored(out, group, total)


def _scored(out: Leg, group: tuple[Leg, ...], total: Decimal) -> Proposal:
    reasons: list[Reason] = []
    with localcontext() as context:
        context.prec = _DIGITS
        lost = (out.amount - total) / out.amount
    score = _BASE + next((points for most, points in _AMOUNTS if lost <= most), _FAR_AMOUNT)
    reasons.append(Reason.SAME_AMOUNT if not lost else Reason.AMOUNT_LESS_FEE)
    late = max(abs(leg.at_us - out.at_us) for leg in group) // _SECOND
    score += next((points for most, points in _TIMES if late <= most), _FAR_TIME)
    reasons.append(Reason.SOON_AFTER if late <= _TIMES[1][0] else Reason.WITHIN_TWO_DAYS)
    if len(group) > 1:
        score -= _BASE
        reasons.append(Reason.TOGETHER)
    if all(_same_hash(out, leg) for leg in group):
        score = 100
        reasons.insert(0, Reason.SAME_HASH)
    return Proposal(out.id, tuple(leg.id for leg in group), score, tuple(reasons))


def _same_hash(out: Leg, leg: Leg) -> bool:
    return bool(out.tx_hash) and _bare(out.tx_hash) == _bare(leg.tx_hash)


def _bare(tx_hash: str) -> str:
    return tx_hash.lower().removeprefix("0x")


def _transfers(out: Entry, arrived: Sequence[Entry], worth: Decimal | None) -> Iterator[Entry]:
    """Yield a transfer for each part; what is left over went with the last one."""
    left = out.amount or Decimal(0)
    at_us = min(out.at_us, *(one.at_us for one in arrived))
    with localcontext() as context:
        context.prec = _DIGITS
        for place, one in enumerate(arrived, start=1):
            came = one.amount if one.received is None else one.received
            part = min(left, came or Decimal(0))
            is_last = place == len(arrived)
            yield replace(
                out,
                id=out.id if is_last else f"{out.id}:{place}",
                at_us=at_us,
                amount=left if is_last else part,
                received=part,
                to_account=one.to_account,
                fee=out.fee if is_last else None,
                fee_asset=out.fee_asset if is_last else None,
                fee_value=(worth or out.fee_value or Decimal(0)) if is_last else Decimal(0),
            )
            left -= part
