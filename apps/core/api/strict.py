"""Serializers of doors where a field that is passed over would cost money: a name that is not known is refused."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeVar

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

_Value = TypeVar("_Value")
_NEAR: Final = 0.6
_SHOWN: Final = 40


class StrictSerializer(serializers.Serializer[_Value]):
    """Refuses fields that it does not have; those that are only read may be sent back."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - the framework's
        """Return what is said, or name the field that nobody would read, and the one that may be meant."""
        if isinstance(data, Mapping):
            known = list(self.fields)
            wrong = {str(name)[:_SHOWN]: [_unknown(str(name), known)] for name in data if name not in known}
            if wrong:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


def _unknown(name: str, known: list[str]) -> ErrorDetail:
    meant = get_close_matches(name[:_SHOWN].lower(), known, n=1, cutoff=_NEAR)
    said = "There is no such field."
    text = f"{said} Did you mean {meant[0]}?" if meant else f"{said} Leave it out."
    return ErrorDetail(text, code="field_unknown")


class StrictSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Says in the OpenAPI document that a request takes no other fields."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: "AutoSchema", direction: Any) -> dict[str, Any]:  # noqa: ANN401 - a literal
        """Return the description of the fields, closed where it is a request's."""
        described: Any = auto_schema
        found: dict[str, Any] = described._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        return {**found, "additionalProperties": False} if direction == "request" else found
