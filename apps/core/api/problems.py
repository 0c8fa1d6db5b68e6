"""Errors as programs read them: RFC 9457 problem details, in DRF and outside of it.

`type` is the address of the code's entry on `/api/docs/problems`; `code` is what a program should compare.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions

from apps.core.errors import (
    ConflictError,
    DeniedError,
    FieldProblem,
    InvalidError,
    NotFoundError,
    ProductError,
    TooManyError,
    UnauthenticatedError,
)
from apps.core.logs import current_request_id

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
DOCS_PATH = "/api/docs/problems"
API_PREFIX = "/api/"
_UNIQUE_VIOLATION = "23505"
_CHECK_VIOLATION = "23514"
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One error answer before it is written down."""

    status: int
    code: str
    title: str
    detail: str
    problems: tuple[FieldProblem, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the answer's fields, in the order that people read them."""
        return {
            "type": f"{DOCS_PATH}#{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "errors": [{"field": one.field, "code": one.code, "message": one.message} for one in self.problems],
            "request_id": current_request_id(),
        }


#: What can go wrong before a view is reached: code -> (status, title, what the caller can do).
STANDARD: dict[str, tuple[int, str, str]] = {
    "bad_request": (400, "The request cannot be read", "Correct the request and send it again."),
    "parse_error": (400, "The body cannot be read", "Send a body of valid JSON in UTF-8."),
    "authentication_failed": (401, "Sign in again", "The token or the session is not accepted. Sign in again."),
    "method_not_allowed": (405, "This method is not offered here", "Use one of the methods that Allow names."),
    "not_acceptable": (406, "This format is not offered here", "Ask for application/json."),
    "too_large": (413, "The body is too large", "Send a smaller body, or several."),
    "unsupported_media_type": (415, "This content type is not accepted here", "Send application/json."),
    "server_error": (
        500,
        "Something went wrong on our side",
        "Try again; if it happens again, the request id helps to find out why.",
    ),
}


def standard(code: str, *, detail: str = "", headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem of a standard code."""
    status, title, default = STANDARD[code]
    return Problem(status=status, code=code, title=title, detail=detail or default, headers=headers or {})


def problem_response(problem: Problem) -> HttpResponse:
    """Return the answer that states the problem."""
    response = HttpResponse(orjson.dumps(problem.body()), status=problem.status, content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="coinsphere"'
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


def handle(error: Exception, _context: Mapping[str, Any]) -> HttpResponse | None:
    """Answer for a DRF view; an unforeseen error or an outage goes on to Django, which logs it once."""
    problem = problem_of(error)
    return None if problem is None else problem_response(problem)


def problem_of(error: Exception) -> Problem | None:
    """Return what the caller is told about an error, or nothing when it was not foreseen."""
    if isinstance(error, ProductError):
        return _of_product(error)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, DataError | IntegrityError):
        return _of_database(error)
    return _of_django(error)


def _of_product(error: ProductError) -> Problem:
    headers = {} if error.retry_after is None else {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    return Problem(
        status=error.status,
        code=error.code,
        title=str(error.title),
        detail=str(error.detail),
        problems=error.problems,
        headers=headers,
    )


#: Errors of Django REST framework whose words are ours, not its own.
_FRAMEWORK_CODES: dict[type[exceptions.APIException], str] = {
    exceptions.AuthenticationFailed: "authentication_failed",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
}


def _of_framework(error: exceptions.APIException) -> Problem:
    """Translate what Django REST framework raises."""
    own = _own_error(error)
    if own is not None:
        return _of_product(own)
    for kind, code in _FRAMEWORK_CODES.items():
        if isinstance(error, kind):
            return standard(code)
    if isinstance(error, exceptions.ParseError):
        return standard("parse_error", detail=_sentence(error.detail))
    phrase = HTTPStatus(error.status_code).phrase
    return Problem(error.status_code, str(error.default_code), phrase, _sentence(error.detail))


def _own_error(error: exceptions.APIException) -> ProductError | None:
    """Return our own error that says the same, if there is one."""
    match error:
        case exceptions.ValidationError():
            return InvalidError(problems=tuple(flatten(error.detail)))
        case exceptions.NotAuthenticated():
            return UnauthenticatedError()
        case exceptions.PermissionDenied():
            return DeniedError(_sentence(error.detail))
        case exceptions.NotFound():
            return NotFoundError()
        case exceptions.Throttled():
            return TooManyError(retry_after=math.ceil(getattr(error, "wait", None) or 1))
    return None


def _of_django(error: Exception) -> Problem | None:
    match error:
        case Http404():
            return _of_product(NotFoundError())
        case PermissionDenied():
            return _of_product(DeniedError())
        case DjangoValidationError():
            return _of_product(InvalidError(problems=tuple(_django_problems(error))))
        case RequestDataTooBig():
            return standard("too_large")
        case SuspiciousOperation():
            return standard("bad_request")
    return None


def _of_database(error: DataError | IntegrityError) -> Problem | None:
    """The database says no: a value it cannot hold, a twin, a broken rule. Other refusals are our mistakes."""
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, DataError) or state == _CHECK_VIOLATION:
        log.info("The database refused a value", error=type(error).__name__, sqlstate=state)
        return _of_product(InvalidError("A value is out of range or holds characters that cannot be stored."))
    if state == _UNIQUE_VIOLATION:
        log.info("The database refused a twin", sqlstate=state)
        return _of_product(ConflictError("There is one already."))
    return None


def flatten(detail: object, path: str = "") -> Iterator[FieldProblem]:
    """Walk through a serializer's errors; a nested field is named `items.0.amount`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from flatten(inner, f"{path}.{own}".strip(".") if path.count(".") < _DEEPEST else path)
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from flatten(inner, f"{path}.{index}".strip(".") if nested else path)
    else:
        yield FieldProblem(field=path, code=str(getattr(detail, "code", None) or "invalid"), message=str(detail))


def _django_problems(error: DjangoValidationError) -> Iterator[FieldProblem]:
    named = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    for name, errors in named.items():
        for one in errors:
            own = "" if name == "__all__" else name
            yield FieldProblem(field=own, code=str(one.code or "invalid"), message=" ".join(one.messages))


def _sentence(detail: object) -> str:
    return "" if isinstance(detail, Mapping | list) else str(detail)


# --- Django's own error answers -------------------------------------------------------------------------------------
def _wants_problem(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django calls a suspicious request."""
    if _wants_problem(request):
        return problem_response(problem_of(exception) or standard("bad_request"))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer somebody without the right."""
    if _wants_problem(request):
        return problem_response(_of_product(DeniedError()))
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address where there is nothing."""
    if _wants_problem(request):
        return problem_response(_of_product(NotFoundError()))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after an unforeseen error; Django has logged it with its traceback."""
    if _wants_problem(request):
        return problem_response(standard("server_error"))
    return defaults.server_error(request)
