"""Counts and times of requests, under django-prometheus's names; what is counted together is looked up once."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django_prometheus.middleware import Metrics
from prometheus_client import Counter, Histogram

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"})
_NAMELESS = "<unnamed view>"
_MOST_KINDS = 4096
_HELD_SECONDS = 1.0
_METRICS_PATH = "/metrics"


@dataclass(slots=True)
class _Kind:
    """Requests of one view, method and status: their counters, found by their labels once, and what is not in yet."""

    counters: tuple[Counter, ...]
    seconds: Histogram
    waiting: int = 0


class MetricsMiddleware:
    """Stands outermost, so that whatever answers is counted and timed.

    Times go in at once. Counts, each of which is in half a dozen counters, are added up for a second at most; whoever
    asks for the metrics gets them all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._metrics = Metrics.get_instance()
        self._kinds: dict[tuple[str | None, str, int, bool], _Kind] = {}
        self._lock = threading.Lock()
        self._flush_at = 0.0

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == _METRICS_PATH:
            self._flush()
        started = time.perf_counter()
        response = self.get_response(request)
        ended = time.perf_counter()
        metrics = self._metrics
        metrics.requests_latency_before.observe(ended - started)
        kind = self._kind(request, response)
        kind.seconds.observe(ended - started)
        if request.META.get("CONTENT_LENGTH"):
            metrics.requests_body_bytes.observe(_length(request))
        if isinstance(response, HttpResponse):
            metrics.responses_body_bytes.observe(len(response.content))
        else:
            metrics.responses_streaming.inc()
        with self._lock:
            kind.waiting += 1
        if ended > self._flush_at:
            self._flush()
        return response

    def _flush(self) -> None:
        """Bring the counters up to date."""
        with self._lock:
            self._flush_at = time.perf_counter() + _HELD_SECONDS
            waiting = [(kind, kind.waiting) for kind in self._kinds.values() if kind.waiting]
            for kind, _count in waiting:
                kind.waiting = 0
        for kind, count in waiting:
            for counter in kind.counters:
                counter.inc(count)

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Count what a view raised."""
        count_error(request, error)

    def _kind(self, request: HttpRequest, response: HttpResponseBase) -> _Kind:
        secure = request.is_secure()
        labels = (request.method, _view_name(request), response.status_code, secure)
        found = self._kinds.get(labels)
        if found is None:
            method = request.method if request.method in _METHODS else "<invalid method>"
            if len(self._kinds) >= _MOST_KINDS:
                self._flush()
                self._kinds.clear()
            made = self._look_up(str(method), "https" if secure else "http", labels[1], str(labels[2]))
            found = self._kinds.setdefault(labels, made)
        return found

    def _look_up(self, method: str, transport: str, view: str, status: str) -> _Kind:
        metrics = self._metrics
        counters = (
            metrics.requests_total,
            metrics.responses_total,
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
