"""Lists by cursor: `{"results", "next"}`, where the signed cursor in `next` holds the last row's place in the order."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from django.core import signing
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from apps.core.errors import FieldProblem, InvalidError

if TYPE_CHECKING:
    from rest_framework.views import APIView  # that module loads this one, through the settings

_SALT = "core.api.cursor"
_LONGEST_CURSOR = 2_000


class BadCursorError(InvalidError):
    """The cursor was not given out by this list."""

    default_detail = "Start again without a cursor, or use the address in next as it is."


class BadLimitError(InvalidError):
    """The limit is not a number in range."""

    default_detail = "Send a limit in the range that the documentation states."


class CursorPages(BasePagination):
    """Pages through a queryset in a stable order; fields that are never null and together unique make the order.

    A view may set `ordering`, `page_size` and `max_page_size`; without an ordering the queryset's own counts,
    and the primary key is always the last word.
    """

    page_size = 100
    max_page_size = 500

    def __init__(self) -> None:
        self._next: str | None = None

    def paginate_queryset(
        self, queryset: "QuerySet[Any, Any] | Sequence[Any]", request: Request, view: "APIView | None" = None
    ) -> list[Any]:
        """Return the rows of the page that the request asks for."""
        if not isinstance(queryset, QuerySet):
            raise TypeError("Pages are made of querysets; a short list goes out whole.")
        limit = self.limit_of(request, view)
        ordering = _ordering(queryset, view)
        rows = queryset.order_by(*ordering)
        token = request.query_params.get("cursor")
        if token:
            rows = rows.filter(_after(queryset.model, ordering, _opened(token, ordering)))
        found = list(rows[: limit + 1])
        page = found[:limit]
        if len(found) > limit:
            self._next = self._address(request, _sealed(page[-1], ordering))
        return page

    def limit_of(self, request: Request, view: "APIView | None" = None) -> int:
        """Return how many rows the request asks for."""
        largest = int(getattr(view, "max_page_size", self.max_page_size))
        raw = request.query_params.get("limit")
        if raw is None:
            return min(int(getattr(view, "page_size", self.page_size)), largest)
        if not (raw.isascii() and raw.isdigit() and len(raw) <= 6 and 1 <= int(raw) <= largest):
            message = f"A whole number from 1 to {largest}."
            raise BadLimitError(problems=[FieldProblem(field="limit", code="out_of_range", message=message)])
        return int(raw)

    def get_paginated_response(self, data: Any) -> Response:  # noqa: ANN401 - the signature is the framework's
        """Wrap the page."""
        return Response({"results": data, "next": self._next})

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Describe the wrapped page."""
        link = {"type": "string", "format": "uri", "nullable": True, "description": "Where the next page is."}
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {"results": schema, "next": link},
        }

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """Describe the query parameters."""
        largest = int(getattr(view, "max_page_size", self.max_page_size))
        limit = {"type": "integer", "minimum": 1, "maximum": largest, "default": self.page_size}
        return [
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "How many rows to return.",
                "schema": limit,
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Comes with the address in next.",
                "schema": {"type": "string"},
            },
        ]

    @staticmethod
    def _address(request: Request, cursor: str) -> str:
        return str(replace_query_param(request.build_absolute_uri(), "cursor", cursor))


def _ordering(queryset: QuerySet[Any], view: "APIView | None") -> tuple[str, ...]:
    meta = queryset.model._meta  # noqa: SLF001 - Django documents it
    wanted = getattr(view, "ordering", None) or queryset.query.order_by or meta.ordering or ("-pk",)
    names = tuple(str(name) for name in wanted)
    key = meta.pk.name
    if any(name.lstrip("-") in {key, "pk"} for name in names):
        return names
    return (*names, f"-{key}" if names[-1].startswith("-") else key)


def _sealed(row: Any, ordering: Sequence[str]) -> str:  # noqa: ANN401 - a model row or the dict of a values() query
    values = [_value(row, name.lstrip("-")) for name in ordering]
    text = orjson.dumps([list(ordering), values], default=str).decode()
    return signing.Signer(salt=_SALT).sign_object(text, compress=True)


def _value(row: Any, name: str) -> Any:  # noqa: ANN401 - as the field has it
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


def _opened(token: str, ordering: Sequence[str]) -> list[Any]:
    """Return the values in a cursor; it must be ours and belong to this order."""
    problem = FieldProblem(field="cursor", code="invalid_cursor", message="Not a cursor of this list.")
    if len(token) > _LONGEST_CURSOR:
        raise BadCursorError(problems=[problem])
    try:
        text = signing.Signer(salt=_SALT).unsign_object(token)
        names, values = orjson.loads(text)
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise BadCursorError(problems=[problem]) from error
    if names != list(ordering) or len(values) != len(ordering):
        raise BadCursorError(problems=[problem])
    return list(values)


def _after(model: type[Model], ordering: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition "comes after these values": a < x, or a = x and b < y, and so on."""
    condition, equal = Q(pk__in=()), Q()
    for name, raw in zip(ordering, values, strict=True):
        field, value = name.lstrip("-"), _typed(model, name.lstrip("-"), raw)
        condition |= equal & Q(**{f"{field}__{'lt' if name.startswith('-') else 'gt'}": value})
        equal &= Q(**{field: value})
    return condition


def _typed(model: type[Model], name: str, raw: Any) -> Any:  # noqa: ANN401 - as the field has it
    meta = model._meta  # noqa: SLF001 - Django documents it
    try:
        field = meta.pk if name == "pk" else meta.get_field(name)
        return field.to_python(raw) if isinstance(field, Field) else raw
    except (FieldDoesNotExist, ValidationError):
        return raw
