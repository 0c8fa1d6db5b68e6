"""Idempotency-Key: a POST that creates may be sent again and has one effect; the answer is kept for a day."""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar, cast
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.formats import FastJSONRenderer
from apps.core.api.throttles import client_address
from apps.core.api.views import ApiView
from apps.core.errors import ConflictError, FieldProblem, InvalidError
from apps.core.ids import uuid7
from apps.core.models.idempotency import IN_FLIGHT, IdempotencyKey
from apps.core.vault import Place, Secret, key_ring, seal, unseal

_Method = TypeVar("_Method", bound=Callable[..., Any])
_SANE_KEY = re.compile(r"[\x21-\x7e]{1,200}")
HEADER = "Idempotency-Key"


class BadKeyError(InvalidError):
    """The key is not 1 to 200 printable characters."""

    code = "invalid_idempotency_key"
    default_detail = "Send 1 to 200 printable ASCII characters without spaces, such as a UUID."


class KeyReusedError(ConflictError):
    """The key was already used for another body."""

    code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key belongs to another request. Use a new key for a new request."


class InFlightError(ConflictError):
    """The first request with this key is still being answered."""

    code = "request_in_flight"
    default_detail = "The first request with this Idempotency-Key is not answered yet. Ask again in a moment."


@dataclass(frozen=True, slots=True)
class _Call:
    """One request with a key, as it is told from others."""

    lookup: str
    path: str
    fingerprint: str
    owner: Any


def idempotent(method: _Method) -> _Method:
    """Let a POST be repeated with its Idempotency-Key; the view says with `seals_answer` when answers hold secrets."""

    @functools.wraps(method)
    def answered_once(view: ApiView, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401 - the method's own
        key = request.headers.get(HEADER)
        if key is None:
            return method(view, request, *args, **kwargs)  # type: ignore[no-any-return]
        call = _call_of(request, key)
        claim = uuid7()
        kept = _begin(call, claim=claim, now=clock.now())
        if kept is not None:
            return _replayed(call, kept)
        with _released_on_failure(call, claim), _together(view):
            response: HttpResponse = method(view, request, *args, **kwargs)
            if response.status_code < HTTPStatus.BAD_REQUEST:
                _keep(call, claim, response, view)
            else:
                _release(call, claim)
        return response

    parameter = OpenApiParameter(
        HEADER,
        str,
        OpenApiParameter.HEADER,
        description="Repeat a request with its key and get the first answer again; kept for 24 hours.",
    )
    documented: Any = extend_schema(parameters=[parameter])(answered_once)
    return cast(_Method, documented)


def _together(view: ApiView) -> Any:  # noqa: ANN401 - one of two context managers
    return transaction.atomic() if view.answers_in_transaction else nullcontext()


# --- Which request is it --------------------------------------------------------------------------------------------
def _call_of(request: Request, key: str) -> _Call:
    if not _SANE_KEY.fullmatch(key):
        raise BadKeyError(problems=[FieldProblem(field=HEADER, code="invalid", message="1 to 200 characters.")])
    owner = request.user if request.user.is_authenticated else None
    caller = f"user:{owner.pk}" if owner else f"address:{client_address(request)}"
    lookup = _digest(json.dumps([caller, request.method, request.path, key]).encode())
    return _Call(lookup=lookup, path=request.path[:300], fingerprint=_fingerprint(request), owner=owner)


def _fingerprint(request: Request) -> str:
    """Return the hash of what is asked for: the same for two spellings of the same JSON."""
    query = sorted(request.query_params.lists())
    # a form's dict shows the last value of each name only
    body = sorted(request.data.lists()) if isinstance(request.data, QueryDict) else request.data
    return _digest(json.dumps([query, body], sort_keys=True, default=_comparable).encode("utf-8", "replace"))


def _comparable(value: object) -> object:
    if isinstance(value, UploadedFile):
        digest = hashlib.sha256()
        for chunk in value.chunks():
            digest.update(chunk)
        value.seek(0)
        return [value.name, digest.hexdigest()]
    return str(value)


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


# --- In flight ------------------------------------------------------------------------------------------------------
def _begin(call: _Call, *, claim: UUID, now: datetime) -> IdempotencyKey | None:
    """Claim the key, committed at once; return the kept row when the request was answered before."""
    fresh = IdempotencyKey(
        lookup=call.lookup,
        owner=call.owner,
        path=call.path,
        fingerprint=call.fingerprint,
        claim=claim,
        claimed_until=now + IN_FLIGHT,
        created_at=now,
    )
    with transaction.atomic():
        IdempotencyKey.objects.bulk_create([fresh], ignore_conflicts=True)
        row = IdempotencyKey.objects.select_for_update().filter(lookup=call.lookup).first()
        if row is None:  # released between our two statements
            raise InFlightError(retry_after=1)
        if row.claim == claim:
            return None
        if not row.is_over(now=now):
            if row.fingerprint != call.fingerprint:
                raise KeyReusedError
            if row.status is not None:
                return row
            if row.claimed_until > now:
                raise InFlightError(retry_after=1)
        fresh.save(force_update=True)
        return None


@contextmanager
def _released_on_failure(call: _Call, claim: UUID) -> Iterator[None]:
    """Forget the key when the request fails: nothing was done, so it may be sent again."""
    try:
        yield
    except Exception:
        _release(call, claim)
        raise


def _release(call: _Call, claim: UUID) -> None:
    IdempotencyKey.objects.filter(lookup=call.lookup, claim=claim, status=None).delete()


def _keep(call: _Call, claim: UUID, response: HttpResponse, view: ApiView) -> None:
    """Store the answer; whoever lost its claim meanwhile must not have an effect."""
    text = FastJSONRenderer().render(response.data) if isinstance(response, Response) else response.content
    body = seal(ring=key_ring(), secret=Secret(text.decode()), place=_place(call)) if view.seals_answer else text
    mine = IdempotencyKey.objects.filter(lookup=call.lookup, claim=claim, status=None)
    if not mine.update(status=response.status_code, answer=body, is_sealed=view.seals_answer):
        raise InFlightError(retry_after=1)


# --- The kept answer ------------------------------------------------------------------------------------------------
def _place(call: _Call) -> Place:
    return Place(owner=str(getattr(call.owner, "pk", "")), record=call.lookup, field="answer")


def _replayed(call: _Call, kept: IdempotencyKey) -> HttpResponse:
    body = bytes(kept.answer or b"")
    if kept.is_sealed:
        body = unseal(ring=key_ring(), sealed=body, place=_place(call)).reveal().encode()
    response = HttpResponse(body, status=kept.status, content_type="application/json")
    response.headers["Idempotent-Replayed"] = "true"
    response.headers["Cache-Control"] = "no-store"
    return response


def forget_keys(*, now: datetime) -> int:
    """Delete the keys that are a day old; return how many."""
    deleted, _by_model = IdempotencyKey.objects.forgettable(now=now).delete()
    return deleted
