"""Serializer fields that several doors share: exact amounts as plain strings."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from apps.core.money import MAX_FRACTION_DIGITS, MAX_INTEGER_DIGITS, AmountError, parse_amount, plain

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

    _Base = serializers.Field[Decimal, str | int | Decimal, str, Any]
else:
    _Base = serializers.Field

_PLAIN: Final = rf"^-?[0-9]{{1,{MAX_INTEGER_DIGITS}}}(\.[0-9]{{1,{MAX_FRACTION_DIGITS}}})?$"


class AmountSerializerField(_Base):
    """An exact amount: a plain string out, a string or whole number in; a JSON float is refused."""

    def to_internal_value(self, data: str | int | Decimal) -> Decimal:
        try:
            return parse_amount(data)
        except AmountError as error:
            raise serializers.ValidationError(error.message, code=error.code) from error

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


class AmountSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes the field in the OpenAPI document."""

    target_class = AmountSerializerField

    def map_serializer_field(self, auto_schema: "AutoSchema", direction: str) -> dict[str, object]:  # noqa: ARG002
        text: dict[str, object] = {"type": "string", "pattern": _PLAIN, "example": "1234.56"}
        if direction == "response":
            return text
        return {"oneOf": [text, {"type": "integer"}]}
