"""The documentation of the API: the OpenAPI document, a page to read it offline, and the list of problem codes."""

import hashlib
from functools import lru_cache

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from apps.core.api.problems import STANDARD
from apps.core.api.views import ApiView
from apps.core.errors import ProductError

CONTENT_TYPE = "application/vnd.oai.openapi+json"


@lru_cache(maxsize=1)
def _document() -> tuple[bytes, str]:
    """Return the document and its tag; it cannot change while the process lives."""
    text = orjson.dumps(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
    return text, f'"{hashlib.sha256(text).hexdigest()[:32]}"'


class SchemaView(ApiView):
    """The OpenAPI document, for everybody."""

    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        text, tag = _document()
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match", "").removeprefix("W/") == tag:  # a packed one has a weak tag
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(text, content_type=CONTENT_TYPE, headers=headers)


@require_safe
def read_docs(request: HttpRequest) -> HttpResponse:
    """Show the document for people."""
    return render(request, "core/api_docs.html")


@require_safe
def read_problems(request: HttpRequest) -> HttpResponse:
    """Show every problem code."""
    return render(request, "core/api_problems.html", {"codes": _codes()})


def _codes() -> list[tuple[str, int, str, str]]:
    """Return code, status, title and advice of everything that can be answered, by code."""
    own = {kind.code: (kind.status, str(kind.title), str(kind.default_detail)) for kind in _kinds(ProductError)}
    everything = {**STANDARD, **own}
    return [(code, *words) for code, words in sorted(everything.items()) if code != ProductError.code]


def _kinds(kind: type[ProductError]) -> list[type[ProductError]]:
    """Return the kinds below this one, the more general last, so that its words stand for a shared code."""
    below = [deeper for one in kind.__subclasses__() for deeper in _kinds(one)]
    return [*below, kind]
