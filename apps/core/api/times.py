"""Times at the edge: ISO-8601 with Z out; ISO-8601 with a zone, or whole milliseconds, in."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MILLISECOND = 253_402_300_799_999  # the end of the year 9999
_LONGEST_TEXT = 40
_DATE_LENGTH = len("2026-11-21")


class TimeError(ValueError):
    """The value is not a point in time; its text says what is."""


def parse_time(value: object) -> datetime:
    """Return the point in time that an ISO-8601 text with a zone, a date (midnight UTC) or milliseconds mean."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, str) and value.isascii() and value.isdigit() and _is_milliseconds(value):
        value = int(value[:_LONGEST_TEXT])
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= LAST_MILLISECOND:
            raise TimeError("Milliseconds since 1970, up to the year 9999.")
        return _EPOCH + timedelta(milliseconds=value)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise TimeError("An ISO-8601 time that ends with Z, or whole milliseconds.")
    return _from_text(value.strip())


def _is_milliseconds(digits: str) -> bool:
    """Tell milliseconds from years, dates without dashes and seconds, which are shorter; zero is the beginning."""
    return len(digits) > _DATE_LENGTH or digits == "0"


def _from_text(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise TimeError("An ISO-8601 time that ends with Z, or whole milliseconds.") from error
    if moment.tzinfo is None and len(text) > _DATE_LENGTH:
        raise TimeError("The time needs its zone: end it with Z.")
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise TimeError("A time between the years 1 and 9999.") from error


def iso_z(moment: datetime) -> str:
    """Return the moment as our answers write it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def milliseconds(moment: datetime) -> int:
    """Return the moment as whole milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
