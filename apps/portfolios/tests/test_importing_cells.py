"""Numbers, times and pairs as people write them."""

from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.money import plain
from apps.portfolios.domain.importing.numbers import NumberStyle, exact_sum, parse_number
from apps.portfolios.domain.importing.numbers import style_of as number_style
from apps.portfolios.domain.importing.pairs import split_pair
from apps.portfolios.domain.importing.problems import LineError, quoted
from apps.portfolios.domain.importing.times import DateStyle, parse_time, zone_named
from apps.portfolios.domain.importing.times import style_of as date_style
from apps.portfolios.domain.transactions import moment_text

POINT, COMMA, AUTO = NumberStyle.POINT, NumberStyle.COMMA, NumberStyle.AUTO


@pytest.mark.parametrize(
    ("text", "style", "number"),
    [
        ("1.000000000000000001", POINT, "1.000000000000000001"),
        ("-0.5", POINT, "-0.5"),
        ("+0.5", POINT, "0.5"),
        ("1,234,567.89", POINT, "1234567.89"),
        ("1.234.567,89", COMMA, "1234567.89"),
        ("0,00000001", COMMA, "0.00000001"),
        ("1.234", COMMA, "1234"),
        ("1234", COMMA, "1234"),
        ("1'234.50", POINT, "1234.5"),
        ("1\u00a0234,50", COMMA, "1234.5"),
        ("$1,195.15", POINT, "1195.15"),
        ("-$5.00", POINT, "-5"),
        ("12,50 €", COMMA, "12.5"),
        ("(12.50)", POINT, "-12.5"),
        ("($1,000.00)", POINT, "-1000"),
        ("12.50-", POINT, "-12.5"),
        ("\u22123", POINT, "-3"),
        ('="0.10"', POINT, "0.1"),
        ("'-3.5", POINT, "-3.5"),
        (".5", POINT, "0.5"),
        ("5.", POINT, "5"),
        ("4.615E-06", POINT, "0.000004615"),
        ("1,5e3", COMMA, "1500"),
    ],
)
def test_numbers_are_read_exactly(text: str, style: NumberStyle, number: str) -> None:
    assert plain(parse_number(text, style=style)) == number


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("", POINT), ("abc", POINT), ("1,5", POINT), ("1.5", COMMA), ("12,34,567", POINT), ("1.2.3", POINT),
        (",", POINT),
        ("1.000,5", POINT), ("0,123", POINT), ("NaN", POINT), ("Infinity", POINT), ("=1+1", POINT), ("()", POINT),
        ("--5", POINT),
        ("1 2 3 4x", POINT), ("٣", POINT), ("5%", POINT), ("1.5 BTC", POINT), (".", POINT), ("1,2.3", COMMA),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(text: str, style: NumberStyle) -> None:
    with pytest.raises(LineError) as caught:
        parse_number(text, style=style, field="amount")
    assert (caught.value.code, caught.value.field) == ("number_bad", "amount")


@pytest.mark.parametrize("text", ["1e999", "1" * 41, "0." + "1" * 31])
def test_numbers_too_long_for_the_ledger_are_refused_and_never_rounded(text: str) -> None:
    with pytest.raises(LineError) as caught:
        parse_number(text)
    assert caught.value.code == "amount_too_long"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=8))
def test_a_number_survives_every_way_of_writing_it(number: Decimal) -> None:
    english = f"{number:,f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert parse_number(english) == parse_number(german, style=COMMA) == parse_number(f"{number:f}") == number


@pytest.mark.parametrize(
    ("cells", "semicolons", "style"),
    [
        (["BTC", "1.234,50"], False, COMMA),
        (["1,234.50", "0,5"], False, POINT),
        (["0,5"], False, COMMA),
        (["1.234.567"], False, COMMA),
        (["1,234,567"], False, POINT),
        (["1,234"], False, POINT),
        (["1,234"], True, COMMA),
        (["1.234"], True, COMMA),
        (["0.234"], True, POINT),
        (["12"], True, POINT),
        ([], False, POINT),
    ],
)
def test_the_number_style_is_what_a_number_without_doubt_says(
    cells: list[str], semicolons: bool, style: NumberStyle
) -> None:
    assert number_style(cells, semicolons=semicolons) is style


def test_sums_keep_every_digit() -> None:
    assert plain(exact_sum([Decimal("1e30"), Decimal("1e-30")])) == "1" + "0" * 30 + "." + "0" * 29 + "1"


@pytest.mark.parametrize(
    ("text", "style", "zone", "moment"),
    [
        ("2024-01-31 10:00:00", DateStyle.AUTO, "UTC", "2024-01-31T10:00:00Z"),
        ("2024-01-31T10:00:00.123456Z", DateStyle.AUTO, "UTC", "2024-01-31T10:00:00.123456Z"),
        ("2024-12-13 16:56:03 UTC", DateStyle.AUTO, "Europe/Berlin", "2024-12-13T16:56:03Z"),
        ("2024-12-13 16:56:03", DateStyle.AUTO, "Europe/Berlin", "2024-12-13T15:56:03Z"),
        ("2024-07-13 16:56:03", DateStyle.AUTO, "+05:30", "2024-07-13T11:26:03Z"),
        ("2024-07-13 16:56:03 -0700", DateStyle.AUTO, "UTC", "2024-07-13T23:56:03Z"),
        ("2024-07-13 16:56 GMT+2", DateStyle.DMY, "UTC", "2024-07-13T14:56:00Z"),
        ("2024-07-13", DateStyle.AUTO, "UTC", "2024-07-13T00:00:00Z"),
        ("2024/07/13 1:02", DateStyle.MDY, "UTC", "2024-07-13T01:02:00Z"),
        ("23-12-22 18:26:26", DateStyle.YMD, "UTC", "2023-12-22T18:26:26Z"),
        ("13/12/2024 18:26", DateStyle.YMD, "UTC", "2024-12-13T18:26:00Z"),
        ("20.09.2019 13:00:00", DateStyle.AUTO, "UTC", "2019-09-20T13:00:00Z"),
        ("13/02/2024", DateStyle.AUTO, "UTC", "2024-02-13T00:00:00Z"),
        ("02/13/2024 1:05 PM", DateStyle.AUTO, "UTC", "2024-02-13T13:05:00Z"),
        ("02/03/2024", DateStyle.DMY, "UTC", "2024-03-02T00:00:00Z"),
        ("02/03/24", DateStyle.MDY, "UTC", "2024-02-03T00:00:00Z"),
        ("02/02/2024", DateStyle.AUTO, "UTC", "2024-02-02T00:00:00Z"),
        ("Jan. 28, 2022, 12:13 AM", DateStyle.AUTO, "UTC", "2022-01-28T00:13:00Z"),
        ("28 Jan 2022 12:13:01,5", DateStyle.AUTO, "UTC", "2022-01-28T12:13:01.500000Z"),
        ("28-March-2022 12:13 p.m.", DateStyle.AUTO, "UTC", "2022-03-28T12:13:00Z"),
        ("1640995200", DateStyle.AUTO, "UTC", "2022-01-01T00:00:00Z"),
        ("1640995200.5", DateStyle.AUTO, "UTC", "2022-01-01T00:00:00.500000Z"),
        ("1640995200123", DateStyle.AUTO, "UTC", "2022-01-01T00:00:00.123000Z"),
        ("1640995200123456", DateStyle.AUTO, "UTC", "2022-01-01T00:00:00.123456Z"),
        ("44927", DateStyle.AUTO, "UTC", "2023-01-01T00:00:00Z"),
        ("44927.5", DateStyle.AUTO, "Europe/Berlin", "2023-01-01T11:00:00Z"),
        ("44927,000011574074", DateStyle.AUTO, "UTC", "2023-01-01T00:00:01Z"),
    ],
)
def test_times_are_read(text: str, style: DateStyle, zone: str, moment: str) -> None:
    assert moment_text(parse_time(text, style=style, zone=zone_named(zone))) == moment


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "time_bad"), ("soon", "time_bad"), ("2024-13-45", "time_bad"), ("31.02.2024", "time_bad"),
        ("12 Foo 2024", "time_bad"), ("01.02.2024 13:00 PM", "time_bad"), ("02/03/2024", "date_ambiguous"),
        ("1999-01-01", "time_out_of_range"), ("2101-01-01", "time_out_of_range"), ("99999999999", "time_bad"),
        ("2024-07-13 16:56 +99:00", "time_bad"), ("13.02.2024 16:56 +99:00", "time_bad"),
        ("9999-12-31 23:59:59 -0100", "time_out_of_range"),
    ],
)  # fmt: skip
def test_times_that_cannot_be_read_are_refused(text: str, code: str) -> None:
    with pytest.raises(LineError) as caught:
        parse_time(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("cells", "style"),
    [
        (["01/02/2024", "13/02/2024"], DateStyle.DMY),
        (["01/02/2024", "02/13/2024"], DateStyle.MDY),
        (["01/02/2024", "2024-02-13", "23-12-22"], DateStyle.AUTO),
        ([], DateStyle.AUTO),
    ],
)
def test_a_day_above_twelve_proves_the_order(cells: list[str], style: DateStyle) -> None:
    assert date_style(cells) is style


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "\0"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    assert zone_named("utc") is UTC
    with pytest.raises(LineError, match="There is no time zone"):
        zone_named(name)


@pytest.mark.parametrize(
    ("pair", "coins"),
    [
        ("BTC-USDT", ("BTC", "USDT")), ("eth/btc", ("ETH", "BTC")), ("SOLBTC", ("SOL", "BTC")),
        ("1INCHUSDT", ("1INCH", "USDT")), ("XXBTZUSD", ("XXBT", "ZUSD")), ("BTCFDUSD", ("BTC", "FDUSD")),
    ],
)  # fmt: skip
def test_pairs_are_split(pair: str, coins: tuple[str, str]) -> None:
    assert split_pair(pair) == coins


@pytest.mark.parametrize(
    ("pair", "code"), [("BTC", "pair_unknown"), ("FOOBAR", "pair_unknown"), ("=A-USD", "asset_bad")]
)
def test_a_pair_that_cannot_be_split_is_refused(pair: str, code: str) -> None:
    with pytest.raises(LineError) as caught:
        split_pair(pair)
    assert caught.value.code == code


def test_a_cell_in_a_sentence_is_short_and_printable() -> None:
    assert quoted("a\nb\x1b[0m") == '"a b [0m"'
    assert quoted("x" * 100) == f'"{"x" * 60}…"'
