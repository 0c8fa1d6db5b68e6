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


class ProgramsMiddleware:
    """Answer programs from here, without what stands below: sessions, forms, messages, languages, static files.

    They lose nothing that was promised: identity, limits and rights are the view's, and the headers that protect an
    answer are the same, made by the same code. Sign-in and its neighbors keep the long way, because they touch
    sessions; so does whatever has to be sent to https first.
    """

    def __init__(self, get_response: _Answer) -> None:
        self.get_response = get_response
        self._straight = _StraightHandler().answer
        self._headers: dict[bool, list[tuple[str, str]]] = {}
        protecting = SecurityMiddleware(XFrameOptionsMiddleware(PolicyMiddleware(_nothing)))
        self._protecting = cast("_Answer", protecting)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_program(request) or (settings.SECURE_SSL_REDIRECT and not request.is_secure()):
            return self.get_response(request)
        translation.activate(settings.LANGUAGE_CODE)
        response = self._straight(request)
        for name, value in self._protection(request):
            response.headers.setdefault(name, value)
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def _protection(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Return the headers that a page would get; asked of the middleware itself, once for http and for https."""
        secure = request.is_secure()
        if secure not in self._headers:
            self._headers[secure] = list(self._protecting(request).headers.items())
        return self._headers[secure]


def _nothing(_request: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    del response.headers["Content-Type"]
    return response


def _is_program(request: HttpRequest) -> bool:
    path = request.path_info
    return (
        path.startswith(settings.PROGRAM_PATHS)
        and not path.startswith(settings.SESSION_PATHS)
        and request.META.get("HTTP_AUTHORIZATION", "")[: len(_SCHEME)].lower() == _SCHEME
    )


class _StraightHandler(BaseHandler):
    """Django's way from address to view, with the outage answer around it and nothing else."""

    def __init__(self) -> None:
        outages = OutageMiddleware(cast("_Answer", convert_exception_to_response(self._checked)))
        self._view_middleware: list[object] = []
        self._template_response_middleware: list[object] = []
        self._exception_middleware = [outages.process_exception, count_error]
        self.answer = cast("_Answer", convert_exception_to_response(outages))

    def _checked(self, request: HttpRequest) -> HttpResponseBase:
        request.get_host()  # a name that is not ours is refused, as `CommonMiddleware` does
        response: HttpResponseBase = self._get_response(request)  # type: ignore[attr-defined]  # the stubs leave it out
        return response
