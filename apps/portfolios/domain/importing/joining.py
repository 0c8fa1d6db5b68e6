"""Joins the lines of one event: what went out, what came in and the fees of one second become one entry, or several.

Equal fills of one second stay several entries where amounts and prices pair them off; several exchanges of different
coins are told apart where the lines of each stand together. Anything else is refused, with all of its lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.portfolios.domain.importing.numbers import exact_sum
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.reading import Line
from apps.portfolios.domain.importing.shapes import Leg

#: Fills of one second have nearly one price; pairs that differ by more than this are not taken for fills.
_SPREAD: Final = Decimal("1.05")


@dataclass(frozen=True, slots=True)
class Move:
    """One line of an event: a signed amount of an asset, and whether it is a fee."""

    line: Line
    asset: str
    amount: Decimal
    is_fee: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange: what was given, what was received, the fees, and the lines it was read from."""

    out: Leg
    received: Leg
    fees: tuple[Leg, ...]
    moves: tuple[Move, ...]

    @property
    def line_number(self) -> int:
        """Return the first of its lines."""
        return min(move.line.number for move in self.moves)


def exchanges_of(moves: Sequence[Move]) -> list[Exchange]:
    """Return the exchanges that these lines of one moment are, or raise `LineError`."""
    outs = [move for move in moves if move.amount < 0 and not move.is_fee]
    ins = [move for move in moves if move.amount > 0 and not move.is_fee]
    if not outs or not ins:
        raise LineError(
            "event_incomplete", "The other side of this exchange is missing: no line of the same time belongs to it."
        )
    if _one_asset(outs) and _one_asset(ins):
        return _fills(outs, ins, [move for move in moves if move.is_fee])
    return _standing_together(moves)


def _one_asset(moves: Sequence[Move]) -> bool:
    return len({move.asset for move in moves}) == 1


def _fills(outs: list[Move], ins: list[Move], fees: list[Move]) -> list[Exchange]:
    """Return one exchange per fill where the lines pair off, else one for all of them."""
    count = len(outs)
    outs, ins, fees = (sorted(side, key=lambda move: move.amount.copy_abs()) for side in (outs, ins, fees))
    if count > 1 and len(ins) == count and len(fees) in {0, count} and (not fees or _one_asset(fees)):
        prices = [one.amount / -other.amount for one, other in zip(ins, outs, strict=True)]
        if max(prices) <= min(prices) * _SPREAD:
            charged = [[fee] for fee in fees] or [[] for _fill in outs]
            paired = zip(outs, ins, charged, strict=True)
            return [_exchange([out], [received], fee) for out, received, fee in paired]
    return [_exchange(outs, ins, fees)]


def _standing_together(moves: Sequence[Move]) -> list[Exchange]:
    """Return the exchanges of several coins at one moment, if the lines of each stand next to each other."""
    for size in (2, 3):
        groups = [moves[start : start + size] for start in range(0, len(moves), size)]
        if len(groups) > 1 and all(_is_exchange(group, size) for group in groups):
            return [exchanges_of(group)[0] for group in groups]
    raise LineError(
        "event_ambiguous",
        "Several exchanges of this moment cannot be told apart. Use the export of trades, or enter them by hand.",
    )


def _is_exchange(moves: Sequence[Move], size: int) -> bool:
    plain = [move for move in moves if not move.is_fee]
    return len(moves) == size and len(plain) == 2 and plain[0].amount * plain[1].amount < 0


def _exchange(outs: Sequence[Move], ins: Sequence[Move], fees: Sequence[Move]) -> Exchange:
    charged = [_taken([fee for fee in fees if fee.asset == asset]) for asset in sorted({fee.asset for fee in fees})]
    return Exchange(
        out=_taken(outs),
        received=Leg(ins[0].asset, exact_sum(move.amount for move in ins)),
        fees=tuple(charged),
        moves=(*outs, *ins, *fees),
    )


def _taken(moves: Sequence[Move]) -> Leg:
    amount = exact_sum(move.amount for move in moves).copy_negate()
    if amount < 0:
        raise LineError("sign_unexpected", f"This fee gives {moves[0].asset} instead of taking it. Enter it by hand.")
    return Leg(moves[0].asset, amount)
