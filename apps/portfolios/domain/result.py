"""The result of booking in the portable format: plain strings, ISO times, nothing rounded."""

import json
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring_ascii as quoted

from apps.portfolios.domain.booking import Booking, Disposal, OpenLot, Problem, Shortfall, text
from apps.portfolios.domain.booking.lots import Piece
from apps.portfolios.domain.booking.scaled import SCALE, half_even
from apps.portfolios.domain.booking.section104 import day_text
from apps.portfolios.domain.policy import Scope
from apps.portfolios.domain.timeline import Timeline
from apps.portfolios.domain.transactions import moment_text

Row = dict[str, object]


def as_portable(booking: Booking) -> Row:
    """Return the result as the format names it."""
    long_us = booking.long_us
    rows = [disposal_row(record, long_us=long_us(record.at_us)) for record in booking.disposals]
    return {"disposals": rows, **closing(booking)}


def closing(booking: Booking) -> Row:
    """Return all of the result but its disposals."""
    totals = booking.totals
    return {
        "remaining_lots": [lot_row(lot) for lot in booking.open_lots],
        "holdings": holdings_by_account(booking.holdings),
        **_costs(booking),
        "pools": _pools(booking),
        "realised_total": text(totals.realised),
        "realised_short": text(totals.short),
        "realised_long": text(totals.long),
        "income_total": text(totals.income),
        "fees_total": text(totals.fees),
        "missing": [shortfall_row(record) for record in booking.shortfalls],
        "errors": problem_rows(booking.problems),
    }


def disposal_row(record: Disposal, *, long_us: int) -> Row:
    """Return one disposal with its lots, or with its matches where days are matched."""
    row: Row = {
        "tx": record.tx,
        "kind": record.kind,
        "asset": record.asset,
        "account": record.account,
        "ts": moment_text(record.at_us),
        "amount": text(record.amount),
        "proceeds": text(record.proceeds),
        "cost_basis": text(record.cost),
        "gain": text(record.gain),
        "term": record.term.value if record.term else None,
        "lots": [
            {
                "lot": piece.lot,
                "amount": text(piece.amount),
                "cost_basis": text(piece.cost),
                "acquired_at": moment_text(piece.at_us),
                "term": "long" if record.at_us - piece.at_us >= long_us else "short",
            }
            for piece in record.pieces
        ],
    }
    if record.missing:
        row["missing"] = text(record.missing)
    if record.superficial_loss:
        row["superficial_loss"] = text(record.superficial_loss)
    if record.day is not None:
        row |= _matched(record, record.day)
    return row


class RowWriter:
    """Writes disposals as JSON text: what `disposal_row` says, without the dictionaries in between."""

    def __init__(self, *, timeline: Timeline) -> None:
        self._timeline = timeline
        self._names: dict[str | None, str] = {None: "null"}

    def disposal(self, record: Disposal) -> str:
        """Return the text of one disposal."""
        tx, kind, asset, account, at_us, amount, proceeds, cost, gain, term, pieces, missing, _, loss, day, _, _ = (
            record
        )
        long_us = self._timeline.long_us(at_us)
        if day is not None or loss:
            return json.dumps(disposal_row(record, long_us=long_us), separators=(",", ":"))
        long_until, of_amount, of_cost = at_us - long_us, text(amount), text(cost)
        if len(pieces) == 1 and not missing:
            lots = _lot_text(pieces[0], of_amount, of_cost, long_until)
        else:
            lots = ",".join([_lot_text(piece, text(piece.amount), text(piece.cost), long_until) for piece in pieces])
        short_of = f',"missing":"{text(missing)}"' if missing else ""
        return (
            f'{{"tx":{quoted(tx)},"kind":"{kind}","asset":{self._name(asset)},"account":{self._name(account)},'
            f'"ts":"{moment_text(at_us)}","amount":"{of_amount}","proceeds":"{text(proceeds)}",'
            f'"cost_basis":"{of_cost}","gain":"{text(gain)}","term":{quoted(term) if term else "null"},'
            f'"lots":[{lots}]{short_of}}}'
        )

    def _name(self, name: str | None) -> str:
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = quoted(name or "")
        return known


def lot_row(lot: OpenLot) -> Row:
    """Return what is left of a lot, or of a pool."""
    return {
        "lot": lot.lot,
        "asset": lot.asset,
        "account": lot.account,
        "amount": text(lot.amount),
        "cost_basis": text(lot.cost),
        "acquired_at": None if lot.at_us is None else moment_text(lot.at_us),
    }


def shortfall_row(record: Shortfall) -> Row:
    """Return what was needed and not found."""
    return {
        "tx": record.tx,
        "asset": record.asset,
        "account": record.account,
        "found": text(record.found),
        "missing": text(record.missing),
    }


def problem_rows(problems: Iterable[Problem]) -> list[Row]:
    """Return the lines that are not as they should be, with field and place where they are known."""
    rows: list[Row] = []
    for problem in problems:
        row: Row = {"tx": problem.tx, "code": problem.code, "message": problem.message}
        if problem.field:
            row["field"] = problem.field
        if problem.place is not None:
            row["index"] = problem.place
        rows.append(row)
    return rows


def holdings_by_account(holdings: Mapping[tuple[str, str], int]) -> dict[str, dict[str, str]]:
    """Return the plain sums of entries, account by account."""
    accounts: dict[str, dict[str, str]] = {}
    for (account, asset), amount in holdings.items():
        accounts.setdefault(account, {})[asset] = text(amount)
    return accounts


def _lot_text(piece: Piece, amount: str, cost: str, long_until: int) -> str:
    return (
        f'{{"lot":{quoted(piece.lot)},"amount":"{amount}","cost_basis":"{cost}",'
        f'"acquired_at":"{moment_text(piece.at_us)}","term":"{"long" if piece.at_us <= long_until else "short"}"}}'
    )


def _matched(record: Disposal, day: int) -> Row:
    return {
        "date": day_text(day),
        "matches": [
            {
                "rule": match.rule,
                "date": None if match.day is None else day_text(match.day),
                "amount": text(match.amount),
                "cost_basis": text(match.cost),
            }
            for match in record.matches or ()
        ],
        "txs": list(record.txs),
    }


def _costs(booking: Booking) -> Row:
    per_account = booking.policy.scope is Scope.PER_ACCOUNT
    sums: dict[str, tuple[int, int]] = {}
    for lot in booking.open_lots:
        key = f"{lot.account}:{lot.asset}" if per_account else lot.asset
        amount, cost = sums.get(key, (0, 0))
        sums[key] = (amount + lot.amount, cost + lot.cost)
    return {
        "remaining_cost": {key: text(cost) for key, (_, cost) in sums.items()},
        "average_cost": {key: text(half_even(cost * SCALE, amount)) for key, (amount, cost) in sums.items() if amount},
    }


def _pools(booking: Booking) -> dict[str, Row]:
    pools: dict[str, Row] = {}
    for (asset, account), (amount, cost) in booking.pools.items():
        key = asset if account is None else f"{account}:{asset}"
        pools[key] = {"amount": text(amount), "cost": text(cost)}
    return pools
