"""From a portable file to the result in the shape of the contract, in the slow and plain way."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import cast

from apps.portfolios.tests.reference.average import AverageBook
from apps.portfolios.tests.reference.lots import LotBook
from apps.portfolios.tests.reference.numbers import ZERO, BadLineError, printed, printed_time, read_time, rounded
from apps.portfolios.tests.reference.outcome import Disposal, Missing, Outcome, Remaining
from apps.portfolios.tests.reference.section104 import Section104Book
from apps.portfolios.tests.reference.steps import Change, Meaning, Raw, Reader, bucket

POOLED = {"acb", "uk_s104"}
Row = dict[str, object]


def book(file: Raw) -> Row:
    """Return the result of a whole portable file."""
    policy = cast("Raw", file.get("policy") or {})
    quote = str(file.get("quote") or "USD")
    method = str(policy.get("method", "fifo"))
    meanings, errors = read_all(cast("list[Raw]", file["transactions"]), policy, quote)
    told = [step for meaning in meanings for step in meaning.steps]
    steps = [replace(step, number=number) for number, step in enumerate(told)]
    books = {"acb": AverageBook, "uk_s104": Section104Book}
    outcome = books.get(method, LotBook)(policy).book(steps)
    if policy.get("missing") == "error":
        rows = [row.tx.removesuffix(":fee") for row in outcome.missing]
        errors += [{"tx": tx, "code": "missing_acquisition"} for tx in dict.fromkeys(rows)]
    errors += [{"tx": meaning.tx, "code": "value_missing"} for meaning in meanings if meaning.unpriced]
    changes = [change for meaning in meanings for change in meaning.changes]
    return {
        "disposals": [disposal_row(row, method) for row in outcome.disposals],
        "remaining_lots": [remaining_row(row) for row in outcome.remaining],
        "holdings": holdings(changes, outcome.missing, policy),
        **by_key(outcome, per_account=policy.get("scope") == "per_account", pooled=method in POOLED),
        "realised_total": printed(sum((row.gain for row in outcome.disposals), ZERO)),
        "realised_short": printed(sum((row.short for row in outcome.disposals), ZERO)),
        "realised_long": printed(sum((row.long for row in outcome.disposals), ZERO)),
        "income_total": printed(sum((meaning.income for meaning in meanings), ZERO)),
        "fees_total": printed(sum((meaning.fees for meaning in meanings), ZERO)),
        "missing": [missing_row(row) for row in outcome.missing],
        "errors": errors,
    }


def read_all(rows: list[Raw], policy: Raw, quote: str) -> tuple[list[Meaning], list[Row]]:
    """Return what the good lines mean, in the order of time and then of the file, and the bad lines."""
    meanings: list[Meaning] = []
    errors: list[Row] = []
    for place, raw in enumerate(sorted(rows, key=lambda raw: read_time(raw["ts"]))):
        try:
            meanings.append(Reader(raw, place, policy, quote).read())
        except BadLineError as error:
            errors.append({"tx": raw["id"], "code": error.code})
    return meanings, errors


def holdings(changes: list[Change], missing: list[Missing], policy: Raw) -> dict[str, dict[str, str]]:
    """Return the plain sum of entries by account and coin; what was missing never was there, so no split grows it."""
    sums: dict[tuple[str, str], Fraction] = defaultdict(lambda: ZERO)
    for change in changes:
        if not change.is_ratio:
            sums[change.account, change.coin] += change.amount
            continue
        for place, amount in sums.items():
            if bucket(place[1], policy) == bucket(change.coin, policy):
                rows = [row for row in missing if (row.account, row.asset) == place and row.place < change.place]
                never = sum((row.missing for row in rows), ZERO)
                sums[place] = rounded((amount + never) * change.amount) - never
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
