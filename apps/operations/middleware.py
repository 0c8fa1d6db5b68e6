"""Health depends on nobody: whoever asks is not looked up."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase


class NamelessHealthMiddleware:
    """Forget the cookies that come to a health address, so that no session is read while the database is away."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == "/health" or request.path_info.startswith("/health/"):
            request.COOKIES = {}
        return self.get_response(request)
