"""The engine and the reference, written apart from the same words, say the same of any ledger, to the last digit."""

from hypothesis import HealthCheck, given, settings

from apps.portfolios.tests import reference
from apps.portfolios.tests.ledgers import Row, comparable, engine_result, engine_result_of_text, ledgers, policies


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(ledger=ledgers(), policy=policies)
def test_the_engine_books_as_the_reference_does(ledger: list[Row], policy: Row) -> None:
    file: Row = {"transactions": ledger, "policy": policy}
    result = engine_result(file)
    assert comparable(result) == comparable(reference.book(file))
    assert engine_result_of_text(file) == result
