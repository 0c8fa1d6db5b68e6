"""Takes a venue's answer apart, strictly: what has another shape than documented is an error, never nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from apps.core.money import AmountError, parse_amount
from apps.exchanges.domain.reading import Stream, VenueRow
from apps.exchanges.gateways.errors import BadAnswerError

_EARLIEST_MS: Final = 1_230_940_800_000
_LATEST_MS: Final = 4_102_444_800_000


def mapping(answer: object, *keys: str) -> Mapping[str, Any]:
    """Return the object at this place of an answer, or raise `BadAnswerError`."""
    found = _at(answer, keys)
    if not isinstance(found, dict):
        raise BadAnswerError
    return found


def listing(answer: object, *keys: str) -> Sequence[Mapping[str, Any]]:
    """Return the list of objects at this place of an answer, or raise `BadAnswerError`."""
    found = _at(answer, keys)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise BadAnswerError
    return found


def _at(answer: object, keys: Iterable[str]) -> object:
    for key in keys:
        if not isinstance(answer, dict) or key not in answer:
            raise BadAnswerError
        answer = answer[key]
    return answer


def text(row: Mapping[str, Any], *names: str) -> str:
    """Return the first of these fields that holds a word or a number, as text, or raise `BadAnswerError`."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    raise BadAnswerError


def amount(row: Mapping[str, Any], name: str) -> Decimal:
    """Return an amount, exact, or raise `BadAnswerError`; a float has lost digits already and is no amount."""
    return exact(text(row, name))


def exact(value: str) -> Decimal:
    """Return the number that a text spells, or raise `BadAnswerError`."""
    try:
        return parse_amount(value)
    except AmountError as error:
        raise BadAnswerError from error


def whole(row: Mapping[str, Any], name: str) -> int:
    """Return a whole number, or raise `BadAnswerError`."""
    value = text(row, name)
    if not value.removeprefix("-").isdecimal():
        raise BadAnswerError
    return int(value)


def flag(row: Mapping[str, Any], name: str) -> bool | None:
    """Return whether something is so; None where the venue does not tell."""
    value = row.get(name)
    return value if isinstance(value, bool) else None


def moment(value: object) -> int:
    """Return milliseconds since 1970 of what a venue gives as a time, or raise `BadAnswerError`.

    Whole numbers are milliseconds, texts are ISO-8601 or date and time in UTC; seconds with a point go to `seconds`.
    """
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _sane(value)
    if not isinstance(value, str):
        raise BadAnswerError
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadAnswerError from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return _sane(int(at.timestamp()) * 1000 + at.microsecond // 1000)


def seconds(value: object) -> int:
    """Return milliseconds since 1970 of seconds that may have a fraction, or raise `BadAnswerError`."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadAnswerError
    try:
        return _sane(int(Decimal(str(value)) * 1000))
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise BadAnswerError from error


def _sane(at_ms: int) -> int:
    if not _EARLIEST_MS <= at_ms <= _LATEST_MS:
        raise BadAnswerError
    return at_ms


def row(*, stream: Stream, external_id: str, at_ms: int, payload: Mapping[str, Any], symbol: str = "") -> VenueRow:
    """Return a row as it is kept; its payload is a copy of plain JSON."""
    kept = json.loads(json.dumps(payload))
    return VenueRow(stream=stream, external_id=external_id, at_ms=at_ms, payload=kept, symbol=symbol)
