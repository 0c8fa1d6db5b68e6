"""Money is exact: parsing refuses rather than rounds, printing and scaling lose nothing."""

from dataclasses import FrozenInstanceError
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import money
from apps.core.money import Amount, AmountError, CurrencyMismatchError

LONGEST = "9" * 40 + "." + "9" * 30

scaled = st.integers(min_value=-(10**70) + 1, max_value=10**70 - 1)
numbers = scaled.map(money.from_scaled)


def refused(value: object) -> str:
    with pytest.raises(AmountError) as caught:
        money.parse_amount(value)  # type: ignore[arg-type]
    assert caught.value.message == str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("1.000000000000000001", "1.000000000000000001"),
        ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
        (LONGEST, LONGEST),
        ("-" + LONGEST, "-" + LONGEST),
        ("+1.50", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("000012", "12"),
        ("1e-8", "0.00000001"),
        ("1E3", "1000"),
        ("1e39", "1" + "0" * 39),
        ("0e9999", "0"),
        ("1." + "0" * 40, "1"),
        (7, "7"),
        (-(10**39), "-1" + "0" * 39),
        (Decimal("1E+2"), "100"),
        (Decimal("0.10"), "0.1"),
    ],
)
def test_parses_exactly_and_prints_plainly(given_value: str | int | Decimal, expected: str) -> None:
    assert money.plain(money.parse_amount(given_value)) == expected


@pytest.mark.parametrize("value", [0.1, 1.0, True, False, None, b"1", [1], float("nan"), 1j])
def test_refuses_other_types_floats_above_all(value: object) -> None:
    assert refused(value) == "amount_type"


@pytest.mark.parametrize(
    "value",
    ["", " ", " 1", "1 ", "1,5", "1_000", "0x10", "1.2.3", "--1", "+-1", ".", "-", "e5", "1e", "1e99999", "١٢", "1\n"],
)
def test_refuses_what_is_no_number(value: str) -> None:
    assert refused(value) == "amount_syntax"


@pytest.mark.parametrize(
    "value", ["NaN", "-nan", "sNaN", "inf", "-Infinity", Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")]
)
def test_refuses_what_is_not_finite(value: str | Decimal) -> None:
    assert refused(value) == "amount_not_finite"


@pytest.mark.parametrize(
    "value",
    [
        "1" + "0" * 40,
        "0." + "0" * 30 + "1",
        "1e40",
        "1e-31",
        "1e9999",
        "-1e-9999",
        10**40,
        Decimal("1E+1000000"),
        Decimal("1E-1000000"),
        "1" * 201,
        "1." + "0" * 300,
    ],
)
def test_refuses_too_many_digits(value: str | int | Decimal) -> None:
    assert refused(value) == "amount_too_long"


def test_only_finite_numbers_fit() -> None:
    assert money.fits(Decimal(LONGEST))
    assert not money.fits(Decimal("NaN"))
    assert not money.fits(Decimal("Infinity"))


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_prints_and_scales_no_nonsense(value: str) -> None:
    with pytest.raises(AmountError, match="finite"):
        money.plain(Decimal(value))
    with pytest.raises(AmountError, match="finite"):
        money.to_scaled(Decimal(value))


@pytest.mark.parametrize("value", ["1E+2000", "1E-2000"])
def test_expands_no_exponent_monster(value: str) -> None:
    with pytest.raises(AmountError, match="at most 40"):
        money.plain(Decimal(value))
    with pytest.raises(AmountError, match="at most 40"):
        money.to_scaled(Decimal(value))


@given(numbers)
def test_printing_and_parsing_are_inverse(number: Decimal) -> None:
    text = money.plain(number)
    assert money.parse_amount(text) == number
    assert "e" not in text.lower()
    assert not text.startswith(("-0.0000000000000000000000000000000", "+"))
    assert "." not in text or not text.endswith(("0", "."))


@given(scaled)
def test_scaling_is_exact_both_ways(value: int) -> None:
    number = money.from_scaled(value)
    assert money.to_scaled(number) == value
    assert Fraction(number) == Fraction(value, 10**30)
    assert int(number.as_tuple().exponent) <= 0


def test_scales_to_the_digits_of_an_asset_and_refuses_more() -> None:
    assert money.to_scaled(Decimal("1.23456789"), digits=8) == 123456789
    assert money.from_scaled(123456789, digits=8) == Decimal("1.23456789")
    assert money.from_scaled(0) == 0
    with pytest.raises(AmountError) as caught:
        money.to_scaled(Decimal("0.000000001"), digits=8)
    assert caught.value.code == "amount_too_long"


@given(numbers, numbers)
def test_sums_and_differences_are_exact(left: Decimal, right: Decimal) -> None:
    first, second = Amount(left, "BTC"), Amount(right, "BTC")
    assert Fraction((first + second).number) == Fraction(left) + Fraction(right)
    assert first + second == second + first
    assert first + second - second == first
    assert -first + first == Amount(Decimal(0), "BTC")
    assert abs(first).number >= 0


@given(numbers, numbers)
def test_products_and_quotients_are_within_half_a_last_digit(left: Decimal, right: Decimal) -> None:
    half = Fraction(1, 2 * 10**30)
    assert abs(Fraction(money.multiply(left, right)) - Fraction(left) * Fraction(right)) <= half
    if right:
        assert abs(Fraction(money.divide(left, right)) - Fraction(left) / Fraction(right)) <= half


@given(st.integers(-(10**20), 10**20), st.integers(-(10**20), 10**20))
def test_short_products_are_exact(left: int, right: int) -> None:
    product = money.multiply(money.from_scaled(left, digits=15), money.from_scaled(right, digits=15))
    assert money.to_scaled(product) == left * right


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1", "3", "0." + "3" * 30),
        ("-1", "3", "-0." + "3" * 30),
        ("1", "-3", "-0." + "3" * 30),
        ("2", "3", "0." + "6" * 29 + "7"),
        ("0." + "0" * 29 + "1", "2", "0"),
        ("0." + "0" * 29 + "3", "2", "0." + "0" * 29 + "2"),
        ("-0." + "0" * 29 + "3", "2", "-0." + "0" * 29 + "2"),
        ("6", "2", "3"),
    ],
)
def test_quotients_round_half_to_even(left: str, right: str, expected: str) -> None:
    assert money.plain(money.divide(Decimal(left), Decimal(right))) == expected


def test_nothing_is_divided_by_zero() -> None:
    with pytest.raises(AmountError) as caught:
        Amount(Decimal(1), "USD") / 0
    assert caught.value.code == "division_by_zero"


def test_amounts_multiply_and_divide_by_plain_numbers_only() -> None:
    price = Amount(Decimal("10.5"), "USD")
    assert price * 2 == Amount(Decimal(21), "USD")
    assert price * Decimal("0.1") == Amount(Decimal("1.05"), "USD")
    assert price / 4 == Amount(Decimal("2.625"), "USD")
    with pytest.raises(AmountError):
        price * 0.1  # type: ignore[operator]


def test_amounts_of_different_currencies_do_not_mix() -> None:
    dollar, euro = Amount(Decimal(1), "USD"), Amount(Decimal(1), "EUR")
    assert dollar != euro
    for combine in (
        lambda: dollar + euro,
        lambda: dollar - euro,
        lambda: dollar < euro,
        lambda: dollar <= euro,
        lambda: dollar > euro,
        lambda: dollar >= euro,
    ):
        with pytest.raises(CurrencyMismatchError, match="USD and EUR"):
            combine()


def test_amounts_compare_and_print() -> None:
    one, two = Amount(Decimal(1), "ETH"), Amount(Decimal("2.0"), "ETH")
    assert one < two
    assert one <= two
    assert two > one
    assert two >= one
    assert str(two) == "2 ETH"
    assert one
    assert not Amount(Decimal("0.00"), "ETH")
    assert hash(two) == hash(Amount(Decimal(2), "ETH"))


def test_amounts_never_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Amount(Decimal(1), "ETH").number = Decimal(2)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("number", "code", "problem"),
    [
        (1.5, "USD", "amount_type"),
        (1, "USD", "amount_type"),
        (Decimal("NaN"), "USD", "amount_not_finite"),
        (Decimal(1), "", "currency_missing"),
        (Decimal(1), " USD", "currency_missing"),
    ],
)
def test_amounts_refuse_nonsense(number: Decimal, code: str, problem: str) -> None:
    with pytest.raises(AmountError) as caught:
        Amount(number, code)
    assert caught.value.code == problem


@pytest.mark.parametrize(("code", "digits"), [("USD", 2), ("JPY", 0), ("BTC", 8), ("XRP", 6), ("PEPE", 8)])
def test_currencies_know_their_digits(code: str, digits: int) -> None:
    assert money.currency(code).digits == digits
    assert money.currency(code).code == code


@pytest.mark.parametrize(
    ("number", "code", "expected"),
    [
        ("185532.594", "USD", "$185,532.59"),
        ("-719.305", "USD", f"{money.MINUS}$719.30"),
        ("719.315", "USD", "$719.32"),
        ("0", "USD", "$0.00"),
        ("-0", "USD", "$0.00"),
        ("0.004", "USD", "<$0.01"),
        ("-0.004", "USD", f"{money.MINUS}<$0.01"),
        ("0.006", "USD", "$0.01"),
        ("1234567.6", "JPY", "¥1,234,568"),
        ("1.2481", "BTC", "1.24810000 BTC"),
        ("0.000000001", "BTC", "<0.00000001 BTC"),
        ("12.3", "CHF", "12.30 CHF"),
        ("12.3", "PEPE", "12.30000000 PEPE"),
        ("1234.5678", "", "1,234.57"),
        ("12.345678", "", "12.3457"),
        ("0.00012345678", "", "0.0001235"),
        ("0.0000000000001", "", "<0.000000000001"),
    ],
)
def test_shows_money_as_people_read_it(number: str, code: str, expected: str) -> None:
    assert money.for_display(Decimal(number), code=code) == expected


@pytest.mark.parametrize(
    ("number", "code", "expected"),
    [
        ("89666.131", "USD", "$89,666.13"),
        ("719.312", "USD", "$719.31"),
        ("3.14159", "USD", "$3.1416"),
        ("0.0000123456", "USD", "$0.00001235"),
        ("14000000", "JPY", "¥14,000,000"),
        ("0.05", "BTC", "0.05000000 BTC"),
        ("250", "PEPE", "250.00 PEPE"),
        ("0", "USD", "$0.00"),
    ],
)
def test_shows_prices_with_the_digits_that_matter(number: str, code: str, expected: str) -> None:
    assert money.price_for_display(Decimal(number), code=code) == expected


def test_shows_a_sign_where_asked() -> None:
    assert money.for_display(Decimal("2.5"), code="USD", signed=True) == "+$2.50"
    assert money.for_display(Decimal("-2.5"), code="USD", signed=True) == f"{money.MINUS}$2.50"
    assert money.for_display(Decimal(0), code="USD", signed=True) == "$0.00"
    assert money.price_for_display(Decimal("2.5"), code="USD", signed=True) == "+$2.5000"


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        ("0.0123", "+1.23%"),
        ("-0.0064", f"{money.MINUS}0.64%"),
        ("0", "0.00%"),
        ("-0.00001", "0.00%"),
        ("12.345", "+1,234.50%"),
    ],
)
def test_shows_a_fraction_as_percent(fraction: str, expected: str) -> None:
    assert money.percent_for_display(Decimal(fraction)) == expected


def test_shows_percent_without_sign_and_with_other_digits() -> None:
    assert money.percent_for_display(Decimal("0.986"), digits=1, signed=False) == "98.6%"
