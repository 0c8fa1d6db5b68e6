"""Times as exports and spreadsheets write them, as microseconds UTC; a date that could be read twice is refused."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.portfolios.domain.importing.problems import LineError, quoted

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXCEL_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST_YEAR, _LAST_YEAR = 2008, 2100
#: By the number of digits before the point: seconds, milliseconds, microseconds, nanoseconds as thousandths.
_EPOCH_DIGITS: Final = {10: 1_000_000, 13: 1_000, 16: 1}
_COUNTED: Final = re.compile(r"([0-9]{10}|[0-9]{13}|[0-9]{16})(?:[.,]([0-9]{1,9}))?", re.ASCII)
_SERIAL: Final = re.compile(r"([3-6][0-9]{4})(?:[.,]([0-9]{1,12}))?", re.ASCII)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK: Final = r"(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:\s*([AaPp])\.?[Mm]\.?)?)?"
_ZONE: Final = r"\s*(Z|(?:UTC|GMT)?\s*[+-]\d{1,2}(?::?\d{2})?(?:\s*(?:UTC|GMT))?|UTC|GMT)?"
_NUMERIC: Final = re.compile(rf"(\d{{1,4}})([-/.])(\d{{1,2}})\2(\d{{1,4}}){_CLOCK}{_ZONE}", re.ASCII)
_DAY_NAMED: Final = re.compile(rf"(\d{{1,2}})[ -]([A-Za-z]{{3,9}})\.?[ ,-]+(\d{{4}}){_CLOCK}{_ZONE}", re.ASCII)
_MONTH_NAMED: Final = re.compile(rf"([A-Za-z]{{3,9}})\.? (\d{{1,2}}),? (\d{{4}}){_CLOCK}{_ZONE}", re.ASCII)
_OFFSET: Final = re.compile(r"([+-])(\d{1,2}):?(\d{2})?", re.ASCII)

Clock = tuple[str | None, ...]


class DateStyle(StrEnum):
    """The order of day, month and year; `auto` asks the dates of the file."""

    AUTO = "auto"
    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"


def zone_named(name: str) -> tzinfo:
    """Return a time zone by its name (`Europe/Berlin`, `UTC`, `+02:00`), or raise `LineError`."""
    if name.upper() in {"", "Z", "UTC", "GMT"}:
        return UTC
    if found := _OFFSET.fullmatch(name.strip()):
        return _offset(found)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise LineError("time_zone_unknown", f"There is no time zone {quoted(name)}.", field="time_zone") from error


def microseconds(moment: datetime) -> int:
    """Return an aware time as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def parse_time(text: str, *, style: DateStyle = DateStyle.AUTO, zone: tzinfo = UTC, field: str = "") -> int:
    """Return the time of a cell as microseconds UTC, or raise `LineError`."""
    moment = _iso(text, style, zone) or _counted(text) or _serial(text, zone) or _written(text.strip(), style, zone)
    if moment is None:
        raise LineError("time_bad", f"{quoted(text)} is not a date and time.", field=field)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise LineError("time_out_of_range", f"{quoted(text)} lies outside {_FIRST_YEAR} to {_LAST_YEAR}.", field=field)
    return microseconds(moment)


def style_of(cells: Iterable[str]) -> DateStyle:
    """Return the order that the dates of a file prove by a day above 12; `auto` where they prove nothing."""
    for cell in cells:
        found = _NUMERIC.fullmatch(cell.strip())
        if found is None or len(found[1]) > 2 or (len(found[4]) < 4 and found[2] == "-"):
            continue
        if int(found[1]) > 12:
            return DateStyle.DMY
        if int(found[3]) > 12:
            return DateStyle.MDY
    return DateStyle.AUTO


def _iso(text: str, style: DateStyle, zone: tzinfo) -> datetime | None:
    """Read the common form quickly: 2024-01-31 10:00:00, with or without T, fraction and offset."""
    if len(text) < 10 or text[4] != "-" or style not in {DateStyle.AUTO, DateStyle.YMD}:
        return None
    bare = text.removesuffix(" UTC")
    if bare != text:
        zone = UTC
    try:
        moment = datetime.fromisoformat(bare)
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    except ValueError:
        return None


def _counted(text: str) -> datetime | None:
    found = _COUNTED.fullmatch(text)
    if found is None:
        return None
    unit = _EPOCH_DIGITS[len(found[1])]
    part = int((found[2] or "0").ljust(9, "0")) * unit // 1_000_000_000
    return _EPOCH + timedelta(microseconds=int(found[1]) * unit + part)


def _serial(text: str, zone: tzinfo) -> datetime | None:
    """Read a spreadsheet's day number, to the second: 44927.5 is 2023-01-01 12:00."""
    found = _SERIAL.fullmatch(text)
    if found is None:
        return None
    decimals = found[2] or "0"
    seconds = (int(decimals) * 86_400 * 2 // 10 ** len(decimals) + 1) // 2
    return (_EXCEL_EPOCH + timedelta(days=int(found[1]), seconds=seconds)).replace(tzinfo=zone)


def _written(text: str, style: DateStyle, zone: tzinfo) -> datetime | None:
    if found := _NUMERIC.fullmatch(text):
        return _built(_ordered(found, style, text), found.groups()[4:], zone)
    if found := _DAY_NAMED.fullmatch(text):
        return _built((int(found[3]), _month(found[2]), int(found[1])), found.groups()[3:], zone)
    if found := _MONTH_NAMED.fullmatch(text):
        return _built((int(found[3]), _month(found[1]), int(found[2])), found.groups()[3:], zone)
    return None


def _ordered(found: re.Match[str], style: DateStyle, text: str) -> tuple[int, int, int]:
    """Return year, month and day of a date in numbers."""
    first, second, third = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == 4:
        return first, second, third
    if style is DateStyle.AUTO or (style is DateStyle.YMD and len(found[4]) == 4):
        style = DateStyle.DMY if found[2] == "." or first == second else style_of([text])
    if style is DateStyle.AUTO:
        raise LineError(
            "date_ambiguous", f"{quoted(text)} could be read in two ways. Choose the order of day, month and year."
        )
    if style is DateStyle.YMD:
        return _century(first), second, third
    day, month = (first, second) if style is DateStyle.DMY else (second, first)
    return _century(third), month, day


def _century(year: int) -> int:
    return year + 2000 if year < 100 else year


def _month(word: str) -> int:
    return _MONTHS.index(word[:3].lower()) + 1 if word[:3].lower() in _MONTHS else 0


def _built(day: tuple[int, int, int], clock: Clock, zone: tzinfo) -> datetime | None:
    """Put date, clock and zone together; None where the calendar has no such time."""
    hour, minute, second = (int(part or 0) for part in clock[:3])
    fraction = int((clock[3] or "0")[:6].ljust(6, "0"))
    if clock[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if clock[4] in {"p", "P"} else 0)
    try:
        moment = datetime(*day, hour, minute, second, fraction, tzinfo=_zone(clock[5], zone))
    except (ValueError, OverflowError):
        return None
    return moment


def _zone(text: str | None, zone: tzinfo) -> tzinfo:
    if text is None:
        return zone
    found = _OFFSET.search(text)
    return _offset(found) if found else UTC


def _offset(found: re.Match[str]) -> timezone:
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    if ahead >= timedelta(hours=24):
        raise LineError("time_zone_unknown", f"There is no time zone {quoted(found[0])}.", field="time_zone")
    return timezone(-ahead if found[1] == "-" else ahead)
