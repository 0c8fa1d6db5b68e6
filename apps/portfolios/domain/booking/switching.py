"""Going on by other rules: what is left of one policy's lots or pools becomes the lots or pools of the next."""

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final, NamedTuple, cast

from apps.portfolios.domain.booking.basis import Basis, Key, LotBasis, PoolBasis
from apps.portfolios.domain.booking.books import Books
from apps.portfolios.domain.booking.engine import State
from apps.portfolios.domain.booking.lines import Line
from apps.portfolios.domain.booking.lots import Piece, rank_of
from apps.portfolios.domain.booking.matched import Matched
from apps.portfolios.domain.booking.pools import Trail
from apps.portfolios.domain.booking.records import Totals
from apps.portfolios.domain.policy import Method, Policy, Scope
from apps.portfolios.domain.transactions import moment_text

_BY_AGE: Final = attrgetter("at_us", "seq")

Left = list[tuple[Key, Piece]]


class _Past(NamedTuple):
    """What the books of one policy came to, settled."""

    totals: Totals
    holdings: dict[tuple[str, str], int]
    never: dict[tuple[str, str], int]
    left: dict[Key, list[Piece]]


def switched(state: State, policy: Policy, *, at_us: int, ahead: Iterable[Line] = ()) -> State:
    """Return a state that goes on by another policy from a moment on, and give nothing more to the one before.

    `ahead` are the lines until the next change: no window around a disposal reaches over one.
    """
    past = _past(state, at_us)
    left = list(_placed(past, state.policy, policy))
    foresight: Mapping[Key, Trail] | None = None
    if policy.watched:
        scout = State(policy, quote=state.quote)
        _fill(scout.books, left, at_us)
        for line in ahead:
            scout.apply(line)
        foresight = scout.books.trails()
    after = State(policy, quote=state.quote, sink=state.sink, foresight=foresight)
    books = after.books
    books.seq, books.totals, books.holdings, books.never = state.books.seq, past.totals, past.holdings, past.never
    if policy.method is Method.HIFO:
        _rank(left, before=state.policy, policy=policy)
    _fill(books, left, at_us)
    return after


def _past(state: State, at_us: int) -> _Past:
    books, sink = state.books, state.sink
    if state.policy.method is not Method.UK_S104:
        left = {key: list(_pieces(key, basis, at_us, books.seq)) for key, basis in books.bases.items()}
        return _Past(books.totals, books.holdings, books.never, left)
    matched = Matched(books)
    for record in matched.disposals:
        sink.disposal(record)
    sink.shortfalls += matched.shortfalls
    sink.problems += matched.problems
    left = {key: list(_of_pool(key, amount, cost, at_us, books.seq)) for key, (amount, cost) in matched.pools.items()}
    return _Past(matched.totals, matched.holdings, matched.never, left)


def _pieces(key: Key, basis: Basis, at_us: int, seq: int) -> Iterator[Piece]:
    if isinstance(basis, LotBasis):
        return iter(sorted(basis.lots(), key=_BY_AGE))
    pool = cast("PoolBasis", basis).pool
    return _of_pool(key, pool.amount, pool.cost, at_us, seq)


def _of_pool(key: Key, amount: int, cost: int, at_us: int, seq: int) -> Iterator[Piece]:
    """Make one lot of a pool, of the moment of the change: nobody can tell how old its coins are."""
    if amount or cost:
        yield Piece(f"pool:{key[0]}@{moment_text(at_us)}", amount, cost, at_us, seq, 0)


def _placed(past: _Past, before: Policy, after: Policy) -> Iterator[tuple[Key, Piece]]:
    """Give what is left to the accounts and buckets that hold the coins: the oldest to whoever held any first."""
    places: dict[Key, dict[Key, int]] = {}
    for (account, asset), amount in past.holdings.items():
        wants = places.setdefault(_key(before, account, asset), {})
        key = _key(after, account, asset)
        wants[key] = wants.get(key, 0) + amount + past.never.get((account, asset), 0)
    for key, wants in places.items():
        room = _room(wants)
        for piece in past.left.get(key, ()):
            yield from _shared(piece, room)


def _room(wants: Mapping[Key, int]) -> list[tuple[Key, int]]:
    """Return who takes how much, in reverse order; one that holds nothing takes nothing unless nobody else does."""
    holders = [(key, amount) for key, amount in wants.items() if amount > 0]
    return holders[::-1] or [(next(iter(wants)), 0)]


def _shared(piece: Piece, room: list[tuple[Key, int]]) -> Iterator[tuple[Key, Piece]]:
    """Divide a lot among those who have room; the last of them takes what is beyond all room."""
    while len(room) > 1:
        key, space = room[-1]
        if piece.amount < space:
            room[-1] = (key, space - piece.amount)
            yield key, piece
            return
        room.pop()
        if piece.amount == space:
            yield key, piece
            return
        yield key, piece.part(space)
    yield room[0][0], piece


def _key(policy: Policy, account: str, asset: str) -> Key:
    return policy.bucket(asset), None if policy.scope is Scope.UNIVERSAL else account


def _rank(left: Left, *, before: Policy, policy: Policy) -> None:
    """Rank lots by what a coin of them costs now, unless they were ranked in the same way before."""
    if before.method is Method.HIFO and before.hifo_excl_fee == policy.hifo_excl_fee:
        return
    for _, piece in left:
        piece.rank = rank_of(piece.cost, piece.amount)


def _fill(books: Books, left: Left, at_us: int) -> None:
    for key, piece in left:
        books.carry(key, piece, at_us=at_us)
