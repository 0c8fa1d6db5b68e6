"""The id of a request: in, into every log line, and out again."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.logs import REQUEST_ID_MARK, bind_request_id, sane_request_id


class RequestIdMiddleware:
    """Give every request an id, the sender's own if it is sane, and send it back with every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with bind_request_id(sane_request_id(request.META.get("HTTP_X_REQUEST_ID"))) as request_id:
            request.META[REQUEST_ID_MARK] = request_id
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id
            return response
