"""A state at rest: plain values from which booking goes on as if it had never stopped.

Lots rest basis by basis, so that only those are woken that the coming lines name; of the others their sums are known.
Rules that look ahead (section 104, a window around losses) have no such state: there an earlier result may still
change, and all is booked from the beginning.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from apps.portfolios.domain.booking.basis import Key, LotBasis, PoolBasis, Sums
from apps.portfolios.domain.booking.engine import State
from apps.portfolios.domain.booking.lines import Line
from apps.portfolios.domain.booking.lots import Piece
from apps.portfolios.domain.booking.records import Booking, OpenLot, Totals
from apps.portfolios.domain.policy import Method, Policy
from apps.portfolios.domain.timeline import Timeline

#: So many entries at least, and less than twice as many, are booked again after a new one.
STEP: Final = 256

Head = dict[str, Any]
LotRow = list[Any]
LotRows = Mapping[Key, list[LotRow]]


class DamagedError(ValueError):
    """What was kept is not what a state comes to."""


class Ladder(NamedTuple):
    """Where states are to be kept from now on, and which of the kept ones are needed no more."""

    cuts: list[int]
    dropped: list[int]


def can_rest(policy: Policy) -> bool:
    """Tell whether booking by this policy can go on from a state: it can where no rule looks ahead."""
    return policy.method is not Method.UK_S104 and not policy.watched


def ladder(kept: Iterable[int], *, start: int, total: int) -> Ladder:
    """Space states ever wider towards the beginning, one from each doubling of the way back from the end.

    A change so far back from the end that `n` entries follow it then costs at most four times `n`, and two steps, to
    book again. Of two on one rung the older one stays, so that it is there when the ledger has grown.
    """
    rungs: dict[int, int] = {}
    dropped = []
    for position in sorted(kept):
        rung = _rung(total - position)
        if rung in rungs:
            dropped.append(position)
        else:
            rungs[rung] = position
    missing = (rung for rung in range(_rung(total - start) + 1) if rung not in rungs)
    cuts = (total - (STEP << rung) for rung in missing)
    return Ladder(sorted(cut for cut in cuts if cut > start), dropped)


def _rung(distance: int) -> int:
    return (distance // STEP).bit_length() - 1


# --- To rest ----------------------------------------------------------------------------------------------------------
def head_of(state: State) -> Head:
    """Return all of a state but its lots."""
    books = state.books
    totals = books.totals
    return {
        "seq": books.seq,
        "said": books.said,
        "totals": [_kept(one) for one in (totals.realised, totals.short, totals.long, totals.income, totals.fees)],
        "holdings": [[*place, _kept(amount)] for place, amount in books.holdings.items()],
        "never": [[*place, _kept(amount)] for place, amount in books.never.items()],
        "bases": [[*key, _kept(one.amount), _kept(one.cost), one.lots] for key, one in books.sums().items()],
    }


def lots_of(state: State, keys: Iterable[Key]) -> dict[Key, list[LotRow]]:
    """Return the open lots of these bases as plain values; pools have none."""
    bases = ((key, state.books.bases[key]) for key in keys)
    return {
        key: [
            [lot.lot, _kept(lot.amount), _kept(lot.cost), lot.at_us, lot.seq, _kept(lot.rank)] for lot in basis.lots()
        ]
        for key, basis in bases
        if isinstance(basis, LotBasis)
    }


def at_end(state: State) -> Booking:
    """Return what is left after all lines, the lots of each basis taken together, and none of the records."""
    books = state.books
    sums = books.sums()
    return Booking(
        policy=state.policy,
        quote=state.quote,
        disposals=[],
        open_lots=[OpenLot(None, *key, one.amount, one.cost, None, 0) for key, one in sums.items() if one.lots],
        holdings=books.holdings,
        pools=books.pools(),
        totals=books.totals,
        shortfalls=[],
        incomes=[],
        charges=[],
        timeline=Timeline(state.policy),
    )


def open_lots_of(key: Key, rows: Iterable[LotRow]) -> Iterator[OpenLot]:
    """Go through lots at rest as they are shown."""
    for lot, amount, cost, at_us, seq, _rank in rows:
        yield OpenLot(lot, *key, int(amount, 16), int(cost, 16), at_us, seq)


# --- From rest --------------------------------------------------------------------------------------------------------
def buckets_of(lines: Iterable[Line], policy: Policy) -> set[str]:
    """Return the names under which the cost lies that these lines may move."""
    found: set[str] = set()
    for line in lines:
        for name in ("asset", "out_asset", "in_asset"):
            found.add(getattr(line, name, None) or "")
        fee = getattr(line, "fee", None)
        found.add(fee.asset or "" if fee is not None else "")
    return {policy.bucket(name) for name in found if name}


def state_of(head: Head, lots: LotRows, *, policy: Policy, quote: str, buckets: Collection[str]) -> State:
    """Return the state that was at rest, with the lots of the named buckets; others cannot be booked in."""
    state = State(policy, quote=quote)
    books = state.books
    books.seq, books.said = head["seq"], head["said"]
    books.totals = Totals(*(int(one, 16) for one in head["totals"]))
    books.holdings = {(account, asset): int(amount, 16) for account, asset, amount in head["holdings"]}
    books.never = {(account, asset): int(amount, 16) for account, asset, amount in head["never"]}
    for asset, account, amount, cost, count in head["bases"]:
        key, sums = (asset, account), Sums(int(amount, 16), int(cost, 16), count)
        books.resting[key] = sums
        if policy.pooled or asset in buckets:
            _wake(state, key, sums, lots.get(key, []))
    return state


def _wake(state: State, key: Key, sums: Sums, rows: Iterable[LotRow]) -> None:
    if state.policy.pooled:
        pool = PoolBasis()
        pool.pool.add(amount=sums.amount, cost=sums.cost)
        state.books.bases[key] = pool
        return
    basis = LotBasis(state.policy)
    for lot, amount, cost, at_us, seq, rank in rows:
        basis.acquire(Piece(lot, int(amount, 16), int(cost, 16), at_us, seq, int(rank, 16)))
    if basis.sums() != sums:
        raise DamagedError(f"The lots of {key[0]} are not those that were put to rest.")
    state.books.bases[key] = basis


def _kept(number: int) -> str:
    return f"{number:x}"
