"""JSON in and out: a parser that lets nothing through that a later room could stumble over, and a fast renderer."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework import exceptions, negotiation, parsers, renderers
from rest_framework.request import Request

from apps.core.errors import FieldProblem, InvalidError
from apps.core.money import plain

DEEPEST = 32
MOST_DIGITS = 40
_SHOWN = 40
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_Renderer = renderers.BaseRenderer


class UnstorableTextError(InvalidError):
    """A text holds a character that the database cannot keep."""

    default_detail = "Remove the NUL and broken Unicode characters and send the request again."


class StrictJSONParser(parsers.BaseParser):
    """Reads JSON in UTF-8; refuses what is too large, too deep, named twice, no number, or cannot be stored as text."""

    media_type = "application/json"

    def parse(self, stream: Any, *_details: Any, **_context: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return the parsed body."""
        raw = _read(stream)
        try:
            text = raw.decode("utf-8")
            value = json.loads(
                text,
                parse_int=_integer,
                parse_float=_float,
                parse_constant=_refuse_constant,
                object_pairs_hook=_named_once,
            )
        except UnicodeDecodeError as error:
            raise exceptions.ParseError("The body is not valid UTF-8.") from error
        except RecursionError as error:
            raise _too_deep() from error
        except ValueError as error:
            raise exceptions.ParseError(_where(error)) from error
        if "\\u" in text:
            _inspect(value)
        elif text.count("[") + text.count("{") > DEEPEST:
            _check_depth(value)
        return value


def _read(stream: Any) -> bytes:  # noqa: ANN401 - a WSGI stream, or Django's request
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    raw = bytes(stream.read(limit + 1))
    if len(raw) > limit:
        raise RequestDataTooBig(f"More than {limit} bytes")
    return raw


def _where(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"The body is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}."
    return str(error)


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; one that names a field twice says two things, and nobody can know which is meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"An object names {_printable(twice[:_SHOWN])!r} twice.")
    return found


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise ValueError(f"A number has more than {MOST_DIGITS} digits.")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("A number is too large.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number.")


def _too_deep() -> exceptions.ParseError:
    return exceptions.ParseError(f"The body is nested more than {DEEPEST} levels deep.")


def _inspect(value: object) -> None:
    """Walk through the body without recursion: it may be as deep as its sender liked."""
    level: list[tuple[str, object]] = [("", value)]
    for _depth in range(DEEPEST + 1):
        level = [child for path, one in level for child in _children(path, one)]
        if not level:
            return
    raise _too_deep()


def _check_depth(value: object) -> None:
    """Refuse what is nested too deeply; without an escape in it, every text of a body in UTF-8 can be stored."""
    level = [value]
    for _depth in range(DEEPEST):
        inside = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [child for children in inside for child in children if isinstance(child, dict | list)]
        if not level:
            return
    raise _too_deep()


def _children(path: str, value: object) -> Sequence[tuple[str, object]]:
    if isinstance(value, str):
        check_text(value, field=path)
    elif isinstance(value, dict):
        for name in value:
            check_text(name, field=path)
        return [(f"{path}.{name}".strip("."), inner) for name, inner in value.items()]
    elif isinstance(value, list):
        return [(f"{path}.{index}".strip("."), inner) for index, inner in enumerate(value)]
    return ()


def check_text(text: str, *, field: str) -> None:
    """Refuse what PostgreSQL cannot keep: NUL and halves of surrogate pairs."""
    storable = "\x00" not in text and (
        text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
    )
    if not storable:
        problem = FieldProblem(field=_printable(field), code="invalid_characters", message="Not storable as text.")
        raise UnstorableTextError(problems=[problem])


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")


def dumps(data: object) -> bytes:
    """Write JSON: amounts as plain strings, times in UTC with Z."""
    return orjson.dumps(data, default=_written, option=_OPTIONS)


class FastJSONRenderer(renderers.JSONRenderer):
    """Writes JSON with orjson; amounts as plain strings, times in UTC with Z."""

    def render(self, data: Any, *details: Any, **context: Any) -> bytes:  # noqa: ANN401 - any JSON
        """Return the written data."""
        if data is None:
            return b""
        try:
            return dumps(data)
        except TypeError:  # what orjson cannot hold, such as whole numbers beyond 64 bits
            return bytes(super().render(data, *details, **context))


def _written(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    if hasattr(value, "__json__") or isinstance(value, bytes):
        raise TypeError
    return str(value)


class OneFormat(negotiation.DefaultContentNegotiation):
    """Answers in the first format of the view when the caller accepts none: a 406 helps nobody."""

    def select_renderer(
        self, request: Request, renderers: Iterable[_Renderer], format_suffix: str | None = None
    ) -> tuple[_Renderer, str]:
        """Return the renderer and its media type."""
        offered = list(renderers)
        try:
            renderer, media_type = super().select_renderer(request, offered, format_suffix)
        except exceptions.NotAcceptable:
            return offered[0], str(offered[0].media_type)
        return renderer, str(media_type)
