"""Times at the edge: ISO-8601 with Z out; ISO-8601 with a zone, or whole milliseconds, in."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from apps.core.errors import FieldProblem, InvalidError

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

    _Base = serializers.Field[datetime, str | int | datetime, str, Any]
else:
    _Base = serializers.Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MILLISECOND = 253_402_300_799_999  # the end of the year 9999
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
        if not 0 <= value <= _LAST_MILLISECOND:
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


class TimeField(_Base):
    """A point in time."""

    def to_internal_value(self, data: str | int | datetime) -> datetime:
        try:
            return parse_time(data)
        except TimeError as error:
            raise serializers.ValidationError(str(error), code="invalid_time") from error

    def to_representation(self, value: datetime) -> str:
        return iso_z(value)


class MillisecondsField(TimeField):
    """A point in time that is written as whole milliseconds, as `ts` inside tickers and candles."""

    def to_representation(self, value: datetime) -> int:  # type: ignore[override]
        return milliseconds(value)


class RangeSerializer(serializers.Serializer[dict[str, datetime]]):
    """`from` and `to`: the half-open range `[from, to)`."""

    to = TimeField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python keeps for itself."""
        return {"from": TimeField(required=False), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a range that ends before it begins."""
        if attrs.get("from") and attrs.get("to") and attrs["from"] > attrs["to"]:
            problem = FieldProblem(field="to", code="range_reversed", message="Must not be before from.")
            raise InvalidError(problems=[problem])
        return attrs


class TimeSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes the fields in the OpenAPI document."""

    target_class = TimeField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: "AutoSchema", direction: str) -> dict[str, object]:  # noqa: ARG002
        text: dict[str, object] = {"type": "string", "format": "date-time", "example": "2026-11-21T09:30:00Z"}
        number: dict[str, object] = {"type": "integer", "minimum": 0, "maximum": _LAST_MILLISECOND}
        if direction == "response":
            return number if isinstance(self.target, MillisecondsField) else text
        return {"oneOf": [text, number]}
