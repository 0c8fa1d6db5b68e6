"""The books that lines are booked in: holdings by account, cost by basis, totals, shortfalls."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from apps.portfolios.domain.booking.basis import Basis, Key, LotBasis, PoolBasis, Sums
from apps.portfolios.domain.booking.lines import Line
from apps.portfolios.domain.booking.lots import Piece, Taken, rank_of
from apps.portfolios.domain.booking.pools import Trail
from apps.portfolios.domain.booking.records import (
    Charged,
    Disposal,
    OpenLot,
    Problem,
    Shortfall,
    Sink,
    Term,
    Totals,
    term_of,
)
from apps.portfolios.domain.booking.scaled import half_even, product
from apps.portfolios.domain.booking.section104 import Matcher, Sale
from apps.portfolios.domain.booking.tuples import made
from apps.portfolios.domain.policy import Method, Missing, Policy, Scope

_DAY_US = 86_400_000_000
_SHORT, _LONG = Term.SHORT, Term.LONG


#: What a disposal has after its missing part: gains of long lots, denied losses, day, matches, transactions.
_UNMATCHED = (0, 0, None, None, ())


class Era(NamedTuple):
    """What accounts came to hold of a bucket between two of its splits, and the split that ends it."""

    seq: int
    ratio: int
    held: dict[tuple[str, str], int]


class Books:
    """Holdings, bases and totals, with the verbs that lines are made of."""

    def __init__(self, policy: Policy, *, sink: Sink, foresight: Mapping[Key, Trail] | None) -> None:
        self.policy = policy
        self.sink = sink
        self.seq = 0
        self.totals = Totals()
        self.holdings: dict[tuple[str, str], int] = {}
        self.bases: dict[Key, Basis] = {}
        self.matchers: dict[str, Matcher] = {}
        self.eras: list[Era] = []
        self.resting: dict[Key, Sums] = {}
        self._near: dict[tuple[str, str], Basis] = {}
        self._split: set[Key] = set()
        self.said = ""
        self.never: dict[tuple[str, str], int] = {}
        self._foresight = foresight
        self._matching = policy.method is Method.UK_S104
        self._pooled = policy.pooled
        self._universal = policy.scope is Scope.UNIVERSAL
        self._alias = policy.alias
        self._long_us = policy.long_days * _DAY_US
        self._ranked = policy.method is Method.HIFO
        self._window = policy.superficial_window_days if policy.method is Method.ACB else None

    def hold(self, account: str, asset: str, amount: int) -> None:
        """Add to what an account holds; below zero is possible and shown."""
        place = (account, asset)
        self.holdings[place] = self.holdings.get(place, 0) + amount

    def acquire(self, line: Line, account: str, asset: str, amount: int, cost: int, clean: int) -> None:
        """Take an asset in at a cost; `clean` is the cost without the fee."""
        place = (account, asset)
        self.holdings[place] = self.holdings.get(place, 0) + amount
        if self._matching:
            self._matcher(asset).on(line.at_us).taken_in.add(amount=amount, cost=cost)
            return
        rank = rank_of(clean if self.policy.hifo_excl_fee else cost, amount) if self._ranked else 0
        basis = self._near.get(place) or self._basis(asset, account)
        basis.acquire(Piece(line.id, amount, cost, line.at_us, self.seq, rank))
        if self._window is not None:
            self._note(basis, line)

    def open_pool(self, line: Line, *, account: str, asset: str, amount: int, cost: int) -> None:
        """Put an opening balance into an average pool."""
        self.hold(account, asset, amount)
        if self._matching:
            self._matcher(asset).on(line.at_us).opened.add(amount=amount, cost=cost)
            return
        basis = cast("PoolBasis", self._basis(asset, account))
        basis.pool.add(amount=amount, cost=cost)
        self._note(basis, line)

    def carry(self, key: Key, piece: Piece, *, at_us: int) -> None:
        """Put in what is left from other rules; holdings know of it already, and it is no acquisition."""
        asset, account = key
        if self._matching:
            self._matcher(asset).on(at_us).opened.add(amount=piece.amount, cost=piece.cost)
            return
        basis = self._basis(asset, account or "")
        if isinstance(basis, PoolBasis):
            basis.pool.add(amount=piece.amount, cost=piece.cost)
        else:
            basis.acquire(piece)

    def dispose(
        self, line: Line, kind: str, account: str, asset: str, amount: int, proceeds: int, tx: str = ""
    ) -> None:
        """Let an amount go for its proceeds, and record what that gained."""
        place, at_us = (account, asset), line.at_us
        self.holdings[place] = self.holdings.get(place, 0) - amount
        tx = tx or line.id
        if self._matching:
            self.seq += 1
            sale = made(Sale, (self.seq, tx, line.id, kind, asset, account, at_us, amount, proceeds))
            self._matcher(asset).on(at_us).sell(sale)
            return
        basis = self._near.get(place) or self._basis(asset, account)
        pieces, found, cost = basis.take(amount)
        missing, gain = amount - found, proceeds - cost
        if missing:
            self._short(line, tx=tx, asset=asset, account=account, found=found, missing=missing)
        figures = (tx, kind, asset, account, at_us, amount, proceeds, cost, gain)
        if self._pooled:
            self._average(basis, line, made(Disposal, (*figures, None, (), missing, *_UNMATCHED)))
            return
        term, long_gain = self._count(pieces, at_us, proceeds, amount, gain, missing)
        self.sink.disposal(made(Disposal, (*figures, term, pieces, missing, long_gain, *_UNMATCHED[1:])))

    def consume(self, line: Line, *, tx: str, kind: str, account: str, asset: str, amount: int) -> None:
        """Let an amount leave its lots without a gain."""
        self.hold(account, asset, -amount)
        if self._matching:
            sale = Sale(self.seq, tx, line.id, kind, asset, account, line.at_us, amount)
            self._matcher(asset).on(line.at_us).consumed.append(sale)
            return
        basis = self._basis(asset, account)
        found = basis.take(amount).found
        self._note(basis, line)
        if found < amount:
            self._short(line, tx=tx, asset=asset, account=account, found=found, missing=amount - found)

    def move(self, line: Line, *, account: str, to_account: str, asset: str, amount: int) -> None:
        """Carry an amount between own accounts, with dates and costs where accounts have lots of their own."""
        self.hold(account, asset, -amount)
        self.hold(to_account, asset, amount)
        if self._matching or account == to_account or not amount:
            return
        source, target = self._basis(asset, account), self._basis(asset, to_account)
        found = min(amount, source.amount)
        taken = Taken([], 0, 0) if source is target else source.take(amount)
        if found < amount:
            missing = amount - found
            self._short(line, tx=line.id, asset=asset, account=account, found=found, missing=missing)
            unknown = Piece(line.id, missing, 0, line.at_us, self.seq, 0)
            taken = Taken([*taken.pieces, unknown], taken.found + missing, taken.cost)
        target.arrive(taken)
        self._note(source, line)
        self._note(target, line)

    def split(self, line: Line, *, asset: str, ratio: int) -> None:
        """Redenominate every open lot and every holding; what was missing never was there and does not grow."""
        bucket = self._alias.get(asset, asset)
        if self._matching:
            self._matcher(asset).on(line.at_us).split(ratio)
            self.eras.append(self._era(bucket, ratio))
            return
        for place, amount in self._places(bucket):
            never = self.never.get(place, 0)
            self.holdings[place] = product(amount + never, ratio) - never
        for key, basis in self.bases.items():
            if key[0] == bucket:
                self._split.add(key)
                basis.split(ratio)
                self._note(basis, line)
                if self._foresight is not None:
                    self._foresight[key].split(ratio)

    def lower_cost(self, line: Line, *, account: str, asset: str, value: int) -> None:
        """Lower the cost of what is held; what is beyond it is a gain."""
        if self._matching:
            kind = "return_of_capital"
            sale = Sale(self.seq, line.id, line.id, kind, asset, account, line.at_us, 0, value)
            self._matcher(asset).on(line.at_us).repaid.append(sale)
            return
        beyond = self._basis(asset, account).lower_cost(value)
        gain = sum(excess for _, excess in beyond)
        if not gain:
            return
        record = Disposal(line.id, "return_of_capital", asset, account, line.at_us, 0, gain, 0, gain, None)
        if self._pooled:
            self.totals.realised += gain
        else:
            record = self._termed_by_lot(record, beyond)
        self.sink.disposal(record)

    def charge(self, line: Line, value: int) -> None:
        """Count a fee that entered no cost and no proceeds."""
        if value:
            self.totals.fees += value
            self.sink.charge(Charged(line.id, line.at_us, value))

    def open_lots(self) -> Iterator[OpenLot]:
        """Go through what is left of every lot or pool."""
        for key, basis in self.bases.items():
            yield from basis.open_lots(key)

    def changed(self) -> frozenset[Key]:
        """Return the bases that may have changed since this was asked before."""
        keys = frozenset({self._key(asset, account) for account, asset in self._near} | self._split)
        self._near.clear()
        self._split.clear()
        return keys

    def sums(self) -> dict[Key, Sums]:
        """Return what lies in every basis, those that rest included."""
        return {**self.resting, **{key: basis.sums() for key, basis in self.bases.items()}}

    def pools(self) -> dict[Key, tuple[int, int]]:
        """Return amount and cost of every average pool."""
        return {
            key: (basis.pool.amount, basis.pool.cost)
            for key, basis in self.bases.items()
            if isinstance(basis, PoolBasis)
        }

    def trails(self) -> dict[Key, Trail]:
        """Return what the pools noted, ready to be read from the start."""
        pools = ((key, cast("PoolBasis", basis)) for key, basis in self.bases.items())
        found = {key: basis.trail for key, basis in pools if basis.trail is not None}
        for trail in found.values():
            trail.rewind()
        return found

    def _places(self, bucket: str) -> list[tuple[tuple[str, str], int]]:
        alias = self._alias
        return [item for item in self.holdings.items() if alias.get(item[0][1], item[0][1]) == bucket]

    def _era(self, bucket: str, ratio: int) -> Era:
        """Close what was held of a bucket up to its split; its shortfalls are known only when all is settled."""
        held = dict(self._places(bucket))
        self.holdings.update(dict.fromkeys(held, 0))
        return Era(self.seq, ratio, held)

    def _matcher(self, asset: str) -> Matcher:
        bucket = self._alias.get(asset, asset)
        matcher = self.matchers.get(bucket)
        if matcher is None:
            matcher = self.matchers[bucket] = Matcher()
        return matcher

    def _basis(self, asset: str, account: str) -> Basis:
        key = self._key(asset, account)
        basis = self.bases.get(key)
        if basis is None:
            basis = self.bases[key] = self._new_basis()
        self._near[account, asset] = basis
        return basis

    def _key(self, asset: str, account: str) -> Key:
        return self._alias.get(asset, asset), None if self._universal else account

    def _new_basis(self) -> Basis:
        if not self._pooled:
            return LotBasis(self.policy)
        return PoolBasis(Trail() if self._window is not None and self._foresight is None else None)

    def _note(self, basis: Basis, line: Line) -> None:
        """Let a pool that is scouted for the window around losses remember what it holds now."""
        if self._window is not None and isinstance(basis, PoolBasis) and basis.trail is not None:
            basis.trail.held(at_us=line.at_us, amount=basis.pool.amount)

    def _count(
        self, pieces: Sequence[Piece], at_us: int, proceeds: int, amount: int, gain: int, missing: int
    ) -> tuple[Term, int]:
        """Add a gain to the totals, short and long by the amount of either; return its term and the long part."""
        if len(pieces) == 1 and not missing:
            term = _LONG if at_us - pieces[0].at_us >= self._long_us else _SHORT
            long_amount = long_cost = 0
        else:
            term, long_amount, long_cost = term_of(pieces, at_us=at_us, long_us=self._long_us, missing=missing)
        totals = self.totals
        totals.realised += gain
        if term is _SHORT:
            totals.short += gain
            return term, 0
        long_gain = gain if term is _LONG else half_even(proceeds * long_amount, amount) - long_cost
        totals.long += long_gain
        totals.short += gain - long_gain
        return term, long_gain

    def _termed_by_lot(self, record: Disposal, beyond: list[tuple[Piece | None, int]]) -> Disposal:
        pieces = [piece for piece, _ in beyond if piece is not None]
        term, _, _ = term_of(pieces, at_us=record.at_us, long_us=self._long_us, missing=0)
        cutoff = record.at_us - self._long_us
        long_gain = sum(excess for piece, excess in beyond if piece is not None and piece.at_us <= cutoff)
        self.totals.realised += record.gain
        self.totals.long += long_gain
        self.totals.short += record.gain - long_gain
        return record._replace(term=term, pieces=tuple(pieces), long_gain=long_gain)

    def _average(self, basis: Basis, line: Line, record: Disposal) -> None:
        """Count a disposal from a pool, without the part of a loss that the window around it denies."""
        if self._window is not None:
            self._note(basis, line)
            if record.gain < 0 and self._foresight is not None and isinstance(basis, PoolBasis):
                record = self._without_superficial_loss(basis, record, days=self._window)
        self.totals.realised += record.gain
        self.sink.disposal(record)

    def _without_superficial_loss(self, basis: PoolBasis, record: Disposal, *, days: int) -> Disposal:
        trail = (self._foresight or {})[self._key(record.asset, record.account or "")]
        replaced = trail.replaced(at_us=record.at_us, days=days, sold=record.amount)
        denied = half_even(-record.gain * replaced.numerator, record.amount * replaced.denominator)
        basis.pool.cost += denied
        return record._replace(gain=record.gain + denied, superficial_loss=-denied)

    def _short(self, line: Line, *, tx: str, asset: str, account: str, found: int, missing: int) -> None:
        self.sink.shortfalls.append(Shortfall(tx, asset, account, line.at_us, found, missing))
        place = (account, asset)
        self.never[place] = self.never.get(place, 0) + missing
        if self.policy.missing is Missing.ERROR and line.id != self.said:
            self.said = line.id
            self.sink.problems.append(acquisition_missing(line.id))


def acquisition_missing(tx: str) -> Problem:
    """Return the problem of a transaction that needed more than was there."""
    message = "More leaves than was ever acquired; add what is missing, match a transfer or enter an opening balance."
    return Problem(tx, "missing_acquisition", message)
