"""The short way for programs: a request of the API that brings its own token needs nothing that pages need."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils import translation

from apps.core.middleware.metrics import count_error
from apps.core.middleware.outages import OutageMiddleware
from apps.core.middleware.policy import PolicyMiddleware

_Answer = Callable[[HttpRequest], HttpResponseBase]
_SCHEME = "bearer "
_MOST_HOSTS = 64


class ProgramsMiddleware:
    """Answer programs from here, without what stands below: sessions, forms, messages, languages, static files.

    They lose nothing that was promised: identity, limits and rights are the view's, and the headers that protect an
    answer are the same, made by the same code. Sign-in and its neighbors keep the long way, because they touch
    sessions; so does whatever has to be sent to https first.
    """

    def __init__(self, get_response: _Answer) -> None:
        self.get_response = get_response
        self._paths, self._but_not = settings.PROGRAM_PATHS, settings.SESSION_PATHS
        self._only_https = settings.SECURE_SSL_REDIRECT
        self._language = settings.LANGUAGE_CODE if len(settings.LANGUAGES) > 1 else ""
        self._straight = _StraightHandler().answer
        self._headers: dict[bool, dict[str, tuple[str, str]]] = {}
        protecting = SecurityMiddleware(XFrameOptionsMiddleware(PolicyMiddleware(_nothing)))
        self._protecting = cast("_Answer", protecting)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not self._is_program(request) or (self._only_https and not request.is_secure()):
            return self.get_response(request)
        if self._language:
            translation.activate(self._language)
        response = self._straight(request)
        written = _written(response)
        for name, header in self._protection(request).items():
            written.setdefault(name, header)  # as on the long way: what a view has set itself stands
        if isinstance(response, HttpResponse):
            written["content-length"] = ("Content-Length", str(len(response.content)))
        response.items = written.values  # type: ignore[method-assign]  # the server reads pairs of them
        return response

    def _is_program(self, request: HttpRequest) -> bool:
        path = request.path_info
        return (
            path.startswith(self._paths)
            and not path.startswith(self._but_not)
            and request.META.get("HTTP_AUTHORIZATION", "")[: len(_SCHEME)].lower() == _SCHEME
        )

    def _protection(self, request: HttpRequest) -> dict[str, tuple[str, str]]:
        """Return the headers that a page would get; asked of the middleware itself, once for http and for https."""
        secure = request.is_secure()
        if secure not in self._headers:
            self._headers[secure] = _written(self._protecting(request))
        return self._headers[secure]


def _written(response: HttpResponseBase) -> dict[str, tuple[str, str]]:
    """Return the headers as Django holds them: these are written a thousand times and need no check each time."""
    return response.headers._store  # noqa: SLF001


def _nothing(_request: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    del response.headers["Content-Type"]
    return response


class _StraightHandler(BaseHandler):
    """Django's way from address to view, with the outage answer around it and nothing else."""

    def __init__(self) -> None:
        self.answer = outages = OutageMiddleware(cast("_Answer", convert_exception_to_response(self._checked)))
        self._hosts: set[str | None] = set()
        self._view_middleware: list[object] = []
        self._template_response_middleware: list[object] = []
        self._exception_middleware = [outages.process_exception, count_error]

    def _checked(self, request: HttpRequest) -> HttpResponseBase:
        host = request.META.get("HTTP_HOST")
        if host not in self._hosts:
            request.get_host()  # a name that is not ours is refused, as `CommonMiddleware` does
            if len(self._hosts) < _MOST_HOSTS:
                self._hosts.add(host)
        response: HttpResponseBase = self._get_response(request)  # type: ignore[attr-defined]  # the stubs leave it out
        return response
