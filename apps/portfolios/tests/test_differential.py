"""The engine and the reference, written apart from the same words, say the same of any ledger, to the last digit."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings

from apps.portfolios.domain.held import CLOSING, parts
from apps.portfolios.tests import reference
from apps.portfolios.tests.ledgers import (
    Row,
    comparable,
    engine_booking,
    engine_result,
    engine_result_of_text,
    ledgers,
    policies,
)

TOTALS = ("realised_total", "realised_short", "realised_long", "income_total", "fees_total")
BOUGHT_TWICE: list[Row] = [
    {"id": "a", "ts": "2020-01-01T00:00:00Z", "type": "buy", "asset": "X", "amount": "1", "value": "10"},
    {"id": "b", "ts": "2021-06-01T00:00:00Z", "type": "buy", "asset": "X", "amount": "1", "value": "10"},
]
RETURNED: Row = {"id": "r", "ts": "2021-07-01T00:00:00Z", "type": "return_of_capital", "asset": "X", "value": "50"}
SOLD: Row = {"id": "s", "ts": "2021-07-01T00:00:00Z", "type": "sell", "asset": "X", "amount": "2", "value": "50"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(ledger=ledgers(), policy=policies)
def test_the_engine_books_as_the_reference_does(ledger: list[Row], policy: Row) -> None:
    file: Row = {"transactions": ledger, "policy": policy}
    result = engine_result(file)
    assert comparable(result) == comparable(reference.book(file))
    assert engine_result_of_text(file) == result
    _years_add_up(file)


@pytest.mark.parametrize("last", [RETURNED, SOLD], ids=["return_of_capital", "sell"])
def test_long_and_short_of_one_line_are_told_apart_by_year(last: Row) -> None:
    file: Row = {"transactions": [*BOUGHT_TWICE, last]}
    year = parts(engine_booking(file)[0])["2021"]
    assert [year[name] for name in TOTALS] == ["30", "15", "15", "0", "0"]
    _years_add_up(file)


def _years_add_up(file: Row) -> None:
    years = parts(engine_booking(file)[0])
    whole = years.pop(CLOSING)
    for name in TOTALS:
        assert sum(Fraction(str(year[name])) for year in years.values()) == Fraction(str(whole[name]))
