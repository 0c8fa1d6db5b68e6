"""Shared pages are for strangers: no cookie is read on the way in, and nothing of the address gets on."""

from collections.abc import Callable
from typing import Final

from csp.constants import HEADER
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_PATH: Final = "/shared/"
#: No script, no address but our own, nothing that is sent anywhere.
_HEADERS: Final = {
    "Cache-Control": "no-store, private",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    HEADER: (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


class SharedPagesMiddleware:
    """Stand outside of everything that knows visitors, so that every answer, also a refusal, has the same headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(_PATH):
            return self.get_response(request)
        request.COOKIES = {}
        response = self.get_response(request)
        for name, value in _HEADERS.items():
            response.headers[name] = value
        return response
