"""From a portable file to the result in the shape of the contract, in the slow and plain way."""

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from typing import cast

from apps.portfolios.tests.reference.numbers import ZERO, printed, printed_time, read_time, rounded
from apps.portfolios.tests.reference.outcome import Disposal, Missing, Outcome, Remaining
from apps.portfolios.tests.reference.periods import POOLED, Row, Whole, method_of, periods_of
from apps.portfolios.tests.reference.steps import Raw


def book(file: Raw) -> Row:
    """Return the result of a whole portable file."""
    rows = sorted(cast("list[Raw]", file["transactions"]), key=lambda raw: read_time(raw["ts"]))
    quote = str(file.get("quote") or "USD")
    whole, errors, disposals = Whole(), list[Row](), list[Row]()
    periods = periods_of(file)
    for period in periods:
        if period.begins is not None:
            whole.hand_over(period)
        found = whole.book(period, rows, quote)
        disposals += [disposal_row(row, method_of(period.policy)) for row in found.outcome.disposals]
        errors += found.errors
    per_account, pooled = periods[-1].policy.get("scope") == "per_account", method_of(periods[-1].policy) in POOLED
    return {
        "disposals": disposals,
        "remaining_lots": [remaining_row(row) for row in whole.outcome.remaining],
        "holdings": printed_holdings(whole.sums),
        **by_key(whole.outcome, per_account=per_account, pooled=pooled),
        "realised_total": printed(sum((row.gain for row in whole.disposals), ZERO)),
        "realised_short": printed(sum((row.short for row in whole.disposals), ZERO)),
        "realised_long": printed(sum((row.long for row in whole.disposals), ZERO)),
        "income_total": printed(sum((meaning.income for meaning in whole.meanings), ZERO)),
        "fees_total": printed(sum((meaning.fees for meaning in whole.meanings), ZERO)),
        "missing": [missing_row(row) for row in whole.missing],
        "errors": errors,
    }


def printed_holdings(sums: Mapping[tuple[str, str], Fraction]) -> dict[str, dict[str, str]]:
    """Return the sums by account and coin as they are printed."""
    accounts: dict[str, dict[str, str]] = defaultdict(dict)
    for (account, coin), amount in sums.items():
        accounts[account][coin] = printed(amount)
    return dict(accounts)


def by_key(outcome: Outcome, *, per_account: bool, pooled: bool) -> dict[str, Mapping[str, object]]:
    """Return cost, average cost and pools by asset, or by account and asset."""
    amounts: dict[str, Fraction] = defaultdict(lambda: ZERO)
    costs: dict[str, Fraction] = defaultdict(lambda: ZERO)
    for row in outcome.remaining:
        key = f"{row.account}:{row.asset}" if per_account else row.asset
        amounts[key] += row.amount
        costs[key] += row.cost
    pools = {key: {"amount": printed(amounts[key]), "cost": printed(costs[key])} for key in amounts}
    return {
        "remaining_cost": {key: printed(cost) for key, cost in costs.items()},
        "average_cost": {key: printed(rounded(costs[key] / amounts[key])) for key in amounts if amounts[key]},
        "pools": pools if pooled else {},
    }


def disposal_row(row: Disposal, method: str) -> Row:
    """Return one disposal as it is printed."""
    printed_row: Row = {
        "tx": row.tx,
        "kind": row.kind,
        "asset": row.asset,
        "account": row.account,
        "amount": printed(row.amount),
        "proceeds": printed(row.proceeds),
        "cost_basis": printed(row.cost),
        "gain": printed(row.gain),
        "term": row.term,
        "lots": [
            {
                "lot": piece.lot,
                "amount": printed(piece.amount),
                "cost_basis": printed(piece.cost),
                "acquired_at": printed_time(piece.acquired_at),
                "term": piece.term,
            }
            for piece in row.pieces
        ],
    }
    if row.superficial:
        printed_row["superficial_loss"] = printed(row.superficial)
    if method == "uk_s104":
        printed_row["date"] = row.date
        printed_row["matches"] = [
            {"rule": match.rule, "date": match.date, "amount": printed(match.amount), "cost_basis": printed(match.cost)}
            for match in row.matches
        ]
    return printed_row


def remaining_row(row: Remaining) -> Row:
    """Return one remaining lot or pool as it is printed."""
    acquired_at = printed_time(row.acquired_at) if row.acquired_at else None
    return {
        "lot": row.lot,
        "asset": row.asset,
        "account": row.account,
        "amount": printed(row.amount),
        "cost_basis": printed(row.cost),
        "acquired_at": acquired_at,
    }


def missing_row(row: Missing) -> Row:
    """Return one shortfall as it is printed."""
    return {
        "tx": row.tx,
        "asset": row.asset,
        "account": row.account,
        "found": printed(row.found),
        "missing": printed(row.missing),
    }
