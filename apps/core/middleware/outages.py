"""A calm answer while the database or Redis is away."""

import sys
from collections.abc import Callable

import structlog
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from kombu.exceptions import OperationalError as BrokerError
from prometheus_client import Counter
from redis.exceptions import RedisError

from apps.core.logs import current_request_id

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
Outage = (OperationalError, InterfaceError, RedisError, BrokerError)
Answer = Callable[[HttpRequest], HttpResponseBase]

_MARK = "coinsphere.outage"
_PLAIN_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Not available at the moment</title>'
    "<h1>Not available at the moment</h1><p>Coinsphere is waiting for its database. Nothing was lost; "
    "try again in a moment.</p><p>Request {request_id}</p></html>"
)

_outages = Counter("coinsphere_outage_answers_total", "Requests answered 503 because something was away.", ["what"])


class OutageMiddleware:
    """Answer 503 with Retry-After, never 500, when the database or Redis does not answer."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        got_request_exception.connect(_note_outage, dispatch_uid="core.outage")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        return outage_response(request) if response.status_code == 500 and _MARK in request.META else response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for a view that met the outage."""
        if not isinstance(error, Outage):
            return None
        _count(error)
        return outage_response(request)


def _note_outage(*, request: HttpRequest | None = None, **_kwargs: object) -> None:
    """Remember an outage met outside the view, such as while the session is saved: Django has made a 500 of it."""
    error = sys.exception()
    if request is not None and isinstance(error, Outage):
        request.META[_MARK] = True
        _count(error)


def _count(error: BaseException) -> None:
    what = "database" if isinstance(error, OperationalError | InterfaceError) else "redis"
    _outages.labels(what=what).inc()
    log.warning("A request met an outage", what=what, error=str(error).strip())


def outage_response(request: HttpRequest) -> HttpResponse:
    """Return the 503 as the client reads it: problem details for programs, a page for people."""
    response = _outage_problem() if _wants_json(request) else _outage_page()
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def _wants_json(request: HttpRequest) -> bool:
    if request.path_info.startswith("/api/"):
        return True
    return request.get_preferred_type(["text/html", "application/json", "application/problem+json"]) not in {
        "text/html",
        None,
    }


def _outage_problem() -> HttpResponse:
    body = {
        "type": "/api/docs/problems#unavailable",
        "title": "Not available at the moment",
        "status": 503,
        "code": "unavailable",
        "detail": "Try again in a moment; nothing was lost.",
        "errors": [],
        "request_id": current_request_id(),
    }
    return JsonResponse(body, status=503, content_type="application/problem+json")


def _outage_page() -> HttpResponse:
    context = {"request_id": current_request_id(), "retry_after": RETRY_AFTER_SECONDS}
    try:
        return HttpResponse(render_to_string("503.html", context), status=503)
    except Exception:  # whatever is wrong with the page, the visitor gets an answer
        log.exception("The outage page could not be drawn")
    return HttpResponse(_PLAIN_PAGE.format(request_id=current_request_id()), status=503)
