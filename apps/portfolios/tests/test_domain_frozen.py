"""Comparing a frozen year with the same year today: rows that came, went or changed, and what does not count."""

from decimal import Decimal
from typing import Any

from apps.portfolios.domain.frozen import TOTALS, Change, compare

LOT = {"lot": "b1", "amount": "1", "cost_basis": "10", "acquired_at": "2023-01-01T00:00:00Z", "term": "long"}


def disposal(tx: str, **fields: Any) -> dict[str, Any]:
    """Return a disposal as a result has it."""
    return {
        "tx": tx,
        "kind": "sell",
        "asset": "BTC",
        "account": "Kraken",
        "ts": "2024-02-01T00:00:00Z",
        "amount": "1",
        "proceeds": "30",
        "cost_basis": "10",
        "gain": "20",
        "term": "long",
        "lots": [LOT],
        **fields,
    }


def income(tx: str, **fields: Any) -> dict[str, Any]:
    """Return an income as a result has it."""
    return {"tx": tx, "kind": None, "asset": "ETH", "ts": "2024-01-01T00:00:00Z", "amount": "1", "value": "3", **fields}


def year(disposals: Any = (), earned: Any = (), **totals: str) -> dict[str, Any]:
    """Return a year as a result has it."""
    return {"disposals": disposals, "income": earned, **dict.fromkeys(TOTALS, "0"), **totals}


def test_rows_that_came_went_and_changed_are_told_apart() -> None:
    then = year([disposal("s1"), disposal("s2")], [income("i1")], realised_total="40", income_total="3")
    now = year(
        [disposal("s1", cost_basis="12", gain="18"), disposal("s3", gain="5", ts="2024-03-01T00:00:00Z")],
        [income("i1")],
        realised_total="23",
        income_total="3",
    )
    found = compare(then, now)
    told = [(row.change, row.tx, str(row.then), str(row.now), str(row.delta)) for row in found.rows]
    assert told == [
        (Change.CHANGED, "s1", "20", "18", "-2"),
        (Change.WENT, "s2", "20", "None", "-20"),
        (Change.CAME, "s3", "None", "5", "5"),
    ]
    assert found.rows[0].fields == ("cost_basis", "gain")
    assert found.differs
    assert found.moved == Decimal(-17)
    assert [found.count(change) for change in Change] == [1, 1, 1]


def test_names_numbers_written_otherwise_and_rows_told_anew_change_nothing() -> None:
    then = year([disposal("s1"), disposal("s1"), disposal("s2")], [income("i1"), income("i2")])
    now = year(
        [
            disposal("s9", account="Renamed"),
            disposal("s1", gain="20.000", lots=[{**LOT, "lot": "b9"}]),
            disposal("s1", missing="0"),
        ],
        [income("i2", kind=""), income("i7")],
    )
    found = compare(then, now)
    assert (found.rows, found.differs) == ((), False)


def test_lots_matches_and_sums_count() -> None:
    matched = disposal("s1", lots=[], matches=[{"rule": "s104", "date": None, "amount": "1", "cost_basis": "10"}])
    other = {"rule": "same_day", "date": "2024-02-01", "amount": "1", "cost_basis": "10"}
    assert compare(year([matched]), year([{**matched, "matches": [other]}])).rows[0].fields == ("matches",)
    older = {**LOT, "acquired_at": "2022-01-01T00:00:00Z"}
    assert compare(year([disposal("s1")]), year([disposal("s1", lots=[older])])).rows[0].fields == ("lots",)
    fees = compare(year(), year(fees_total="0.000000000000000001"))
    assert (len(fees.rows), fees.differs, str(fees.moved)) == (0, True, "0")
    assert [one.delta for one in fees.totals if one.delta] == [Decimal("0.000000000000000001")]
