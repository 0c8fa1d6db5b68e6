"""Counts and times of requests, under django-prometheus's names; what is counted together is looked up once."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django_prometheus.middleware import Metrics

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"})
_NAMELESS = "<unnamed view>"
_MOST_KINDS = 4096


class _Kind(NamedTuple):
    """The counters of one kind of request, found by their labels once."""

    counters: tuple[Any, ...]
    seconds: Any


class MetricsMiddleware:
    """Stands outermost, so that whatever answers is counted and timed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._metrics = Metrics.get_instance()
        self._kinds: dict[tuple[str, ...], _Kind] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        metrics = self._metrics
        metrics.requests_total.inc()
        started = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        metrics.responses_total.inc()
        metrics.requests_latency_before.observe(seconds)
        kind = self._kind(request, response)
        for counter in kind.counters:
            counter.inc()
        kind.seconds.observe(seconds)
        metrics.requests_body_bytes.observe(_length(request))
        if isinstance(response, HttpResponse):
            metrics.responses_body_bytes.observe(len(response.content))
        elif response.streaming:
            metrics.responses_streaming.inc()
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Count what a view raised."""
        count_error(request, error)

    def _kind(self, request: HttpRequest, response: HttpResponseBase) -> _Kind:
        method = request.method if request.method in _METHODS else "<invalid method>"
        labels = (method, request.scheme or "http", _view_name(request), str(response.status_code))
        found = self._kinds.get(labels)
        if found is None:
            found = self._look_up(*labels)
            if len(self._kinds) < _MOST_KINDS:
                self._kinds[labels] = found
        return found

    def _look_up(self, method: str, transport: str, view: str, status: str) -> _Kind:
        metrics = self._metrics
        counters = (
            metrics.requests_by_method.labels(method=method),
            metrics.requests_by_transport.labels(transport=transport),
            metrics.requests_by_view_transport_method.labels(view=view, transport=transport, method=method),
            metrics.responses_by_status.labels(status=status),
            metrics.responses_by_status_view_method.labels(status=status, view=view, method=method),
            metrics.responses_by_charset.labels(charset="utf-8"),
        )
        return _Kind(counters, metrics.requests_latency_by_view_method.labels(view=view, method=method))


def count_error(request: HttpRequest, error: Exception) -> None:
    """Count what a view raised, by its kind and by the view."""
    metrics = Metrics.get_instance()
    metrics.exceptions_by_type.labels(type=type(error).__name__).inc()
    metrics.exceptions_by_view.labels(view=_view_name(request)).inc()


def _view_name(request: HttpRequest) -> str:
    match = request.resolver_match
    return (match.view_name if match else "") or _NAMELESS


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0
