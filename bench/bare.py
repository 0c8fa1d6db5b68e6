"""The peer of the request benchmark: Django with one view and nothing else, on the same server."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

ANSWER = {"answer": 42}


def constant(_request: HttpRequest) -> JsonResponse:
    """Answer the constant, with the length that Django's middleware would have written."""
    response = JsonResponse(ANSWER)
    response.headers["Content-Length"] = str(len(response.content))
    return response


urlpatterns = [path("api/v1/bench/constant", constant)]

settings.configure(
    SECRET_KEY="only-for-the-bare-peer-of-a-benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    LOGGING_CONFIG=None,
)
application = get_wsgi_application()
