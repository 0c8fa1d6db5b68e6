"""Fields for times in serializers: as text with Z or as whole milliseconds, and how the documents describe them."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from apps.core.api.times import LAST_MILLISECOND, TimeError, iso_z, milliseconds, parse_time
from apps.core.errors import FieldProblem, InvalidError

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

    _Base = serializers.Field[datetime, str | int | datetime, str, Any]
else:
    _Base = serializers.Field


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
        number: dict[str, object] = {"type": "integer", "minimum": 0, "maximum": LAST_MILLISECOND}
        if direction == "response":
            return number if isinstance(self.target, MillisecondsField) else text
        return {"oneOf": [text, number]}
