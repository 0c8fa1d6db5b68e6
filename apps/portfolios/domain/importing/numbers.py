"""Numbers as people and spreadsheets write them: thousands, decimal commas, brackets, currency signs; always exact."""

import re
from collections.abc import Iterable
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from typing import Final

from apps.core.money import MAX_FRACTION_DIGITS, MINUS, AmountError, parse_amount
from apps.portfolios.domain.importing.problems import LineError, quoted

_EXACT: Final = Context(prec=400, traps=[InvalidOperation, Overflow, Inexact])
_PLAIN: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_MARKED: Final = re.compile(r"[0-9.,' \u00a0\u202f\u2009]+(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+", re.ASCII)
_BLANKS: Final = str.maketrans("", "", "' \u00a0\u202f\u2009")
_SIGNS: Final = "$€£¥₹₩₺₽₿ \t\u00a0\u202f\u2009"
#: What exports write where there is no number.
_NOTHING: Final = frozenset({"", "-", "--", "n/a", "na", "null", "none", "nil"})


class NumberStyle(StrEnum):
    """Which sign stands before the decimals; `auto` looks at the numbers of the file."""

    AUTO = "auto"
    POINT = "point"
    COMMA = "comma"


def is_blank(text: str) -> bool:
    """Tell whether a cell says that there is no number."""
    return not text or text.lower() in _NOTHING


def parse_number(text: str, *, style: NumberStyle = NumberStyle.POINT, field: str = "") -> Decimal:
    """Return the number of a cell exactly, or raise `LineError`."""
    is_plain = style is not NumberStyle.COMMA and _PLAIN.fullmatch(text) is not None
    if is_plain and len(text) <= MAX_FRACTION_DIGITS:
        return Decimal(text)
    plain = text if is_plain else _normalized(text, style)
    if plain is None:
        raise LineError("number_bad", f"{quoted(text)} is not a number.", field=field)
    try:
        return parse_amount(plain)
    except AmountError as error:
        raise LineError(error.code, f"{quoted(text)}: {error.message}", field=field) from error


def style_of(cells: Iterable[str], *, semicolons: bool) -> NumberStyle:
    """Return the style that the numbers of a file speak for; the first number that leaves no doubt decides."""
    doubtful = False
    for cell in cells:
        verdict = _evidence(cell)
        if verdict in {NumberStyle.POINT, NumberStyle.COMMA}:
            return verdict
        doubtful = doubtful or verdict is NumberStyle.AUTO
    return NumberStyle.COMMA if doubtful and semicolons else NumberStyle.POINT


def exact_sum(numbers: Iterable[Decimal]) -> Decimal:
    """Return the sum with every digit kept."""
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total


def _evidence(cell: str) -> NumberStyle | None:
    """Return what one cell says: a style, `auto` for a number that could be both, None for nothing."""
    _negative, body = _unsigned(cell)
    if ("," not in body and "." not in body) or not _MARKED.fullmatch(body):
        return None
    comma, point = body.rfind(","), body.rfind(".")
    if comma >= 0 and point >= 0:
        return NumberStyle.COMMA if comma > point else NumberStyle.POINT
    style, other, mark = (
        (NumberStyle.COMMA, NumberStyle.POINT, ",") if comma >= 0 else (NumberStyle.POINT, NumberStyle.COMMA, ".")
    )
    if _GROUPED.fullmatch(body.replace(mark, ",")):
        return other if body.count(mark) > 1 else NumberStyle.AUTO
    return style


def _normalized(text: str, style: NumberStyle) -> str | None:
    """Return the number with a point and without thousands, or None where it is no number."""
    negative, body = _unsigned(text)
    if not _MARKED.fullmatch(body):
        return None
    body = body.translate(_BLANKS)
    if style is NumberStyle.COMMA:
        body = body.replace(".", "\0").replace(",", ".").replace("\0", ",")
    mantissa, mark, exponent = body.replace("E", "e").partition("e")
    whole, point, decimals = mantissa.partition(".")
    if "," in decimals or "." in decimals or not (whole or decimals):
        return None
    if "," in whole:
        if not _GROUPED.fullmatch(whole):
            return None
        whole = whole.replace(",", "")
    return f"{'-' if negative else ''}{whole or '0'}{point}{decimals}{mark}{exponent}"


def _unsigned(text: str) -> tuple[bool, str]:
    """Split a cell into its sign and what is left: brackets and a trailing minus are minus signs too."""
    body = text.strip()
    if body.startswith('="') and body.endswith('"'):
        body = body[2:-1]
    body = body.removeprefix("'").strip(_SIGNS).replace(MINUS, "-")
    negative = body.startswith("(") and body.endswith(")") and len(body) > 1
    if negative:
        body = body[1:-1].strip(_SIGNS)
    if body[:1] in {"-", "+"} and not negative:
        negative, body = body[0] == "-", body[1:]
    elif body.endswith("-") and not negative:
        negative, body = True, body[:-1]
    return negative, body.strip(_SIGNS)
