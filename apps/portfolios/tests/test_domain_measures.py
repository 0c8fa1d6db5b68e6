"""Performance figures against published examples, and what must hold for all figures."""

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.portfolios.domain.measures import (
    Day,
    Flow,
    MeasureFileError,
    RiskFigures,
    daily_returns,
    drawdown,
    linked,
    measure,
    quantile,
    risk_figures,
    settled,
    xirr,
)
from apps.portfolios.domain.measures.arithmetic import WIDE

FIRST = date(2020, 1, 1)
CLOSE = Decimal("1e-25")
few = settings(max_examples=25, deadline=None)
EVERY_FIGURE = [field.name for field in fields(RiskFigures)]


def flows(*moved: tuple[int, str | int]) -> list[Flow]:
    """Make flows by days since the first."""
    return [Flow(FIRST + timedelta(days=after), Decimal(amount)) for after, amount in moved]


def worth(moved: Sequence[Flow], rate: Decimal) -> Decimal:
    """Return what flows come to at a rate, worked out another way."""
    factor = (1 + rate) ** (Decimal(-1) / 365)
    return sum((flow.amount * factor ** (flow.date - moved[0].date).days for flow in moved), Decimal(0))


def days(*rows: tuple[str, str, str]) -> list[Day]:
    """Make days one after another: value at the end, inflow, outflow."""
    return [Day(FIRST + timedelta(days=place), *map(Decimal, row)) for place, row in enumerate(rows)]


def decimals(*numbers: str) -> list[Decimal]:
    """Make returns."""
    return [Decimal(number) for number in numbers]


# --- Time-weighted ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        # CIBC Investor's Edge, "Time-weighted vs. money-weighted rates of return": 10 %, then 11.11 %.
        ([("200000", "0", "0"), ("220000", "0", "0"), ("300000", "50000", "0")], Fraction(11, 10) * Fraction(30, 27)),
        # Cindicator's help, "My returns are wrong": Alice adds 2,000, Bob takes 100; both made 15.5 %.
        ([("1000", "0", "0"), ("1100", "0", "0"), ("3255", "2000", "0")], Fraction(1155, 1000)),
        ([("1000", "0", "0"), ("1000", "0", "100"), ("1050", "0", "0")], Fraction(1155, 1000)),
        # MathCelebrity, "Time weighted rate of interest": 18.78 %.
        (
            [("100000", "0", "0"), ("112000", "0", "0"), ("83000", "30000", "42000"), ("100000", "0", "0")],
            Fraction(112, 100) * Fraction(125, 142) * Fraction(100, 83),
        ),
    ],
)  # fmt: skip
def test_published_time_weighted_returns(rows: Sequence[tuple[str, str, str]], wanted: Fraction) -> None:
    found = linked(daily_returns(days(*rows)))
    assert abs(Fraction(found) - (wanted - 1)) < Fraction(CLOSE)


def test_a_deposit_of_the_last_day_changes_nothing() -> None:
    before = [("100", "0", "0"), ("120", "0", "0")]
    assert linked(daily_returns(days(*before, ("1120", "1000", "0")))) == Decimal("0.2")


def test_a_day_that_began_with_nothing_has_no_return() -> None:
    assert daily_returns(days(("100", "100", "0"), ("0", "0", "100"), ("0", "0", "0"), ("50", "50", "0"))) == [
        0,
        0,
        0,
        0,
    ]
    assert daily_returns(days(("0", "0", "0"), ("7", "0", "0"))) == [0, 0]
    assert daily_returns([]) == []


amounts = st.decimals(min_value="0.000000000001", max_value="1000000000000000", places=12, allow_nan=False)


@few
@given(values=st.lists(amounts, min_size=2, max_size=8), flow=amounts, at=st.integers(min_value=1, max_value=7))
def test_money_in_and_out_moves_value_not_performance(values: list[Decimal], flow: Decimal, at: int) -> None:
    at = min(at, len(values) - 1)
    plain = [Day(FIRST + timedelta(days=place), value) for place, value in enumerate(values)]
    moved = list(plain)
    # What comes in at a day's start and leaves at its end grows with the rest: there is as much more at the start.
    grown = flow * plain[at].value_end / plain[at - 1].value_end
    moved[at] = Day(plain[at].date, plain[at].value_end, inflow=flow, outflow=grown)
    change = linked(daily_returns(plain)) - linked(daily_returns(moved))
    assert abs(change) <= (1 + linked(daily_returns(plain))) * Decimal("1e-15")


@few
@given(values=st.lists(amounts, min_size=1, max_size=8), scale=st.sampled_from(["1e-12", "7", "1e15"]))
def test_the_size_of_money_does_not_matter(values: list[Decimal], scale: str) -> None:
    one = [Day(FIRST + timedelta(days=place), value) for place, value in enumerate(values)]
    other = [Day(day.date, day.value_end * Decimal(scale)) for day in one]
    assert [settled(r) for r in daily_returns(one)] == [settled(r) for r in daily_returns(other)]


@few
@given(values=st.lists(amounts, min_size=3, max_size=8), cut=st.integers(min_value=1, max_value=6))
def test_stretches_link_to_the_whole(values: list[Decimal], cut: int) -> None:
    whole = daily_returns([Day(FIRST + timedelta(days=place), value) for place, value in enumerate(values)])
    parts = linked([linked(whole[:cut]), linked(whole[cut:])])
    assert settled(parts) == settled(linked(whole))


# --- Money-weighted ---------------------------------------------------------------------------------------------------
def test_the_example_of_the_spreadsheet() -> None:
    """Microsoft's documentation of XIRR: 0.373362535."""
    rows = [
        ("2008-01-01", -10000),
        ("2008-03-01", 2750),
        ("2008-10-30", 4250),
        ("2009-02-15", 3250),
        ("2009-04-01", 2750),
    ]
    moved = [Flow(date.fromisoformat(day), Decimal(amount)) for day, amount in rows]
    found = xirr(moved)
    assert found is not None
    assert round(found, 8) == Decimal("0.37336253")  # the spreadsheet's last digit is off the root by 1.5e-9
    assert abs(worth(moved, found)) < Decimal("1e-20")


@pytest.mark.parametrize("scale", ["1e-12", "1", "1e15", "1e38"])
def test_a_rate_does_not_depend_on_the_size_of_money(scale: str) -> None:
    found = xirr([Flow(flow.date, flow.amount * Decimal(scale)) for flow in flows((0, -100), (365, 110))])
    assert found is not None
    assert settled(found) == Decimal("0.1")


@pytest.mark.parametrize(
    "moved",
    [
        [],
        [(0, 0)],
        [(0, -100), (365, 0)],
        [(0, 100), (365, 10)],
        [(0, -100), (0, 110)],
        [(0, -100), (365, 300), (730, -250)],  # 300^2 < 4 * 100 * 250
        [(0, 100), (365, -300), (730, 250)],
    ],
)
def test_where_no_rate_solves_it_there_is_none(moved: list[tuple[int, str | int]]) -> None:
    assert xirr(flows(*moved)) is None


@pytest.mark.parametrize(
    ("moved", "wanted"),
    [
        ([(0, -100), (365, 100)], "0"),
        ([(0, -100), (365, 50)], "-0.5"),
        ([(0, 100), (365, -110)], "0.1"),
        ([(0, -100), (1, 60), (1, 50)], None),
        # Lorie and Savage 1955, the oil pump: 25 % and 400 % both solve it.
        ([(0, -1600), (365, 10000), (730, -10000)], "0.25"),
        ([(0, -100), (365, 230), (730, -132)], "0.1"),  # 10 % and 20 %
        ([(0, -100), (365, 220), (730, -121)], "0.1"),  # 10 % twice: the sum touches zero and turns
        ([(0, -100), (365, 110), (730, -100), (1095, 110)], "0.1"),
        ([(0, -1000), (365, 3600), (730, -4310), (1095, 1716)], "0.1"),  # 10 %, 20 % and 30 %
        # -50 % and +20 % solve it, and the money grew: the one with the sign of the profit.
        ([(0, -100), (365, 170), (730, -60)], "0.2"),
        ([(0, 100), (365, -170), (730, 60)], "-0.5"),
    ],
)
def test_the_rate_that_a_person_means(moved: list[tuple[int, str | int]], wanted: str | None) -> None:
    found = xirr(flows(*moved))
    assert found is not None
    if wanted is None:
        wanted = str(settled(Decimal("1.1") ** 365 - 1))
        assert abs(found / Decimal(wanted) - 1) < CLOSE
    else:
        assert settled(found) == Decimal(wanted)


@few
@given(
    steps=st.lists(
        st.tuples(st.integers(min_value=1, max_value=200), st.integers(min_value=-900, max_value=1000)),
        min_size=1,
        max_size=30,
    ),
    scale=st.sampled_from(["1e-12", "3", "1e15"]),
)
def test_a_rate_solves_its_flows_at_any_size(steps: list[tuple[int, int]], scale: str) -> None:
    moved, at = [(0, "-1000")], 0
    for gap, amount in steps:
        at += gap
        moved.append((at, str(amount)))
    found, scaled = xirr(flows(*moved)), xirr([Flow(f.date, f.amount * Decimal(scale)) for f in flows(*moved)])
    if found is None:
        assert scaled is None
        return
    assert scaled is not None
    assert abs(scaled - found) <= CLOSE * (1 + abs(found))
    size = worth([Flow(flow.date, abs(flow.amount)) for flow in flows(*moved)], found)
    assert abs(worth(flows(*moved), found)) <= size * Decimal("1e-18")


@few
@given(rate=st.decimals(min_value="-0.9", max_value="20", places=4), zeros=st.lists(st.integers(0, 1000), max_size=5))
def test_flows_of_nothing_change_nothing(rate: Decimal, zeros: list[int]) -> None:
    moved = flows((0, -100), (730, str(100 * (1 + rate) ** 2)), *((day, 0) for day in zeros))
    found = xirr(moved)
    assert found is not None
    assert settled(found) == rate


def test_many_changes_of_direction_are_walked_through() -> None:
    daily = xirr(flows(*((day, 101 if day % 2 else -100) for day in range(60))))
    assert daily is not None
    assert abs(daily / (Decimal("1.01") ** 365 - 1) - 1) < CLOSE
    assert xirr(flows(*((day, -101 if day % 2 else 100) for day in range(61)))) is None


# --- Risk -------------------------------------------------------------------------------------------------------------
def test_the_mixed_returns_of_empyrical() -> None:
    """empyrical's test_stats.py, `mixed_returns` at 252 periods."""
    found = risk_figures(decimals("0.01", "0.1", "-0.04", "0.02", "0.03", "0.02", "0.01", "-0.1"), periods=Decimal(252))
    assert found.sharpe is not None
    assert found.sortino is not None
    assert found.volatility is not None
    assert round(found.sharpe, 12) == Decimal("1.723861396171")
    assert round(found.sortino, 12) == Decimal("2.605531251674")
    assert round(found.volatility, 12) == Decimal("0.913646539970")
    assert found.max_drawdown == Decimal("-0.1")


def test_a_loss_on_the_first_day_counts_and_the_rest_is_worked_out_by_hand() -> None:
    found = risk_figures(decimals("-0.5", "1", "-0.25"), risk_free=Decimal("0.21"), periods=Decimal(2))
    assert found.total_return == Decimal("-0.25")
    assert found.max_drawdown == Decimal("-0.5")
    assert found.var_5pct_historical == Decimal("-0.475")
    assert found.cagr is not None
    assert round(found.cagr, 12) == Decimal("-0.174518187776")  # 0.75 ** (2 / 3) - 1
    assert found.calmar == WIDE.multiply(found.cagr, Decimal(2))
    assert found.sortino is not None
    # it = 0.1, x = -0.6, 0.9, -0.35: mean -1/60, downside sqrt((0.36 + 0.1225) / 3)
    assert round(found.sortino, 12) == Decimal("-0.058772709938")


@pytest.mark.parametrize(
    ("returns", "undefined"),
    [
        ([], EVERY_FIGURE),
        (["0.1"], ["volatility", "sharpe", "sortino", "calmar"]),
        (["0.1", "0.1"], ["sharpe", "sortino", "calmar"]),
        (["0.1", "-2.5", "0.1"], ["cagr", "calmar"]),
    ],
)
def test_what_is_not_defined_is_none(returns: list[str], undefined: list[str]) -> None:
    found = measure({"returns": returns})
    assert [name for name, value in found.items() if value is None] == undefined


def test_drawdowns_say_how_long_and_where_they_stand() -> None:
    found = drawdown(decimals("0.1", "-0.1", "0.05", "0.2", "-0.5", "0.2"))
    assert (found.deepest, found.longest, found.current) == (Decimal("-0.5"), 2, Decimal("-0.4"))
    assert drawdown([]).deepest == 0


@few
@given(
    st.lists(st.integers(-100, 100), min_size=1, max_size=50),
    st.sampled_from([Fraction(0), Fraction(1, 20), Fraction(1)]),
)
def test_a_quantile_lies_among_its_numbers(numbers: list[int], share: Fraction) -> None:
    found = quantile([Decimal(one) for one in numbers], share)
    assert min(numbers) <= found <= max(numbers)


# --- The file and the command -----------------------------------------------------------------------------------------
def test_the_command_prints_exact_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "given.json"
    file.write_text(
        '{"days": [{"date": "2024-01-02", "value_end": 1.000000000000000001},'
        ' {"date": "2024-01-01T23:00:00-03:00", "value_end": "1", "inflow": 1, "outflow": null}],'
        ' "flows": [{"date": "2023-01-01", "amount": -1}, '
        ' {"date": "2024-01-01T00:00:00", "amount": "1.000000000000000001"}],'
        ' "returns": [1e-18], "risk_free": 0, "periods": 365}'
    )
    with pytest.raises(CommandError, match="twice"):
        call_command("measure", str(file))
    file.write_text(file.read_text().replace("-03:00", "+01:00"))
    call_command("measure", str(file))
    printed = json.loads(capsys.readouterr().out)
    assert printed["daily"] == ["0", "0.000000000000000001"]
    assert printed["twr"] == printed["xirr"] == printed["total_return"] == "0.000000000000000001"
    assert printed["max_drawdown"] == "0"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"no JSON file: Expecting value, line 1, column 1\.$"),
        ('{"returns": [1e99999999999999999999]}', "The number 1e999"),
        ('{"returns": [' + "1" * 5_000 + "]}", "digits before"),
        ('{"days": [{"date": "2024-01-01", "value_end": 1, "value_end": 2}]}', "names value_end twice"),
        ('{"days": [{"date": "0001-01-01T00:00+14:00", "value_end": 1}]}', "no date of the calendar"),
        ("[" * 100_000, "nested too deeply"),
        ("[1]", "no JSON object"),
        ("{}", "none of"),
        ('{"days": 1}', '"days" is not a list'),
        ('{"flows": [1]}', r"flows\[0\] is not an object"),
        ('{"flows": [{"date": 5, "amount": 1}]}', r"flows\[0\] needs a date"),
        ('{"flows": [{"date": "2024-02-30", "amount": 1}]}', "no date of the calendar"),
        ('{"flows": [{"date": "2024-02-03"}]}', r"flows\[0\].amount is missing"),
        ('{"flows": [{"date": "2024-02-03", "amount": true}]}', "is not a number"),
        ('{"returns": {}}', '"returns" is not a list'),
        ('{"returns": ["x"]}', r"returns\[0\]: Enter a number"),
        ('{"returns": [NaN]}', "^The file holds NaN, which is no number"),
        ('{"returns": [1], "risk_free": -1}', "above -1"),
        ('{"returns": [1], "periods": 0}', "above 0"),
        ('{"returns": [1], "periods": 1000001}', "at most a million"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "given.json"
    file.write_text(text)
    with pytest.raises(CommandError, match=sentence) as caught:
        call_command("measure", str(file))
    assert "\n" not in str(caught.value)
    assert ".." not in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("measure", str(tmp_path / "none.json"))
    with pytest.raises(MeasureFileError):
        measure(None)
