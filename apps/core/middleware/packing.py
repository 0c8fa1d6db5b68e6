"""Long texts go out packed: a page of two hundred rows is a tenth of itself, and on a phone that is what one waits for.

Files are packed already when they are collected. Whoever watches the line and makes a page say their own words could
learn from the length whether a secret of the page repeats them: the token of forms is masked anew for every answer,
session cookies do not travel with what another site asks for, and the length carries up to a hundred bytes of chance.
"""

import re
import secrets
import zlib
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

#: Less than this fits into the first packets of an answer anyway.
SHORTEST: Final = 4_096
#: A program's answer is smaller than a page's for the same rows, and is asked for more often than anybody waits.
SHORTEST_FOR_PROGRAMS: Final = 32_768
MOST_CHANCE: Final = 100

_LEVEL: Final = 3
_TEXTS: Final = re.compile(r"text/|application/(?:[\w.-]+\+)?json|image/svg\+xml")
_READS_GZIP: Final = re.compile(r"(?:^|[\s,])(?:gzip|x-gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[0-9.]+\s*)?(?:,|$)")
#: Magic, deflate, a name follows, no time, no extra flags, no system told.
_HEAD: Final = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff"


class PackingMiddleware:
    """Stand outside of everything that makes answers, so that each is packed once and last."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and len(body := response.content) >= SHORTEST:
            _pack(request, response, body)
        return response


def _pack(request: HttpRequest, response: HttpResponse, body: bytes) -> None:
    headers = response.headers
    kind = headers.get("Content-Type", "")
    if "Content-Encoding" in headers or not _TEXTS.match(kind):
        return
    if len(body) < SHORTEST_FOR_PROGRAMS and "HTTP_AUTHORIZATION" in request.META:
        return
    patch_vary_headers(response, ("Accept-Encoding",))
    if not _READS_GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", "").lower()):
        return
    packed = gzip_of(body)
    if len(packed) >= len(body):
        return
    response.content = packed
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(packed))
    tag = headers.get("ETag", "")
    if tag.startswith('"'):  # what is packed is no longer the same bytes
        headers["ETag"] = f"W/{tag}"


def gzip_of(body: bytes) -> bytes:
    """Return a body as gzip has it, with a name of random length in its head."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(body) + packer.flush()
    name = b"a" * secrets.randbelow(MOST_CHANCE) + b"\0"
    tail = zlib.crc32(body).to_bytes(4, "little") + (len(body) & 0xFFFFFFFF).to_bytes(4, "little")
    return b"".join((_HEAD, name, packed, tail))
