"""A small API that the tests of the kernel's REST style walk through."""

import itertools
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.db import DataError
from django.http import Http404
from django.urls import path
from rest_framework import serializers
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api.fields import AmountSerializerField
from apps.core.api.idempotency import idempotent
from apps.core.api.problems import bad_request, page_not_found, permission_denied, server_error
from apps.core.api.time_fields import RangeSerializer, TimeField
from apps.core.api.views import ApiView, operation
from apps.core.errors import ConflictError, NotFoundError, ProductError
from apps.core.models import IdempotencyKey

User = get_user_model()
_numbers = itertools.count(1)
raised: list[BaseException] = []
effects: list[str] = []


class ItemSerializer(serializers.Serializer[dict[str, Any]]):
    amount = AmountSerializerField()


class NoteSerializer(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField(max_length=20)
    at = TimeField(required=False)
    items = ItemSerializer(many=True, required=False)
    extra = serializers.JSONField(required=False)


class FilterSerializer(RangeSerializer):
    names = serializers.ListField(child=serializers.CharField(), required=False)
    closed = serializers.BooleanField(required=False, default=True)


class PersonSerializer(serializers.Serializer[dict[str, Any]]):
    id = serializers.UUIDField()
    email = serializers.EmailField()


class NotesView(ApiView):
    permission_classes = [AllowAny]

    @operation(summary="Read notes", query=FilterSerializer, response=NoteSerializer(many=True))
    def get(self, _request: Request) -> Response:
        query = self.parse_query(FilterSerializer)
        return Response({name: str(value) if name in {"from", "to"} else value for name, value in query.items()})

    @operation(summary="Write a note", request=NoteSerializer, response=NoteSerializer, status=201)
    def post(self, _request: Request) -> Response:
        return self.answer(NoteSerializer, self.parse(NoteSerializer), status=201)


class RaisingView(ApiView):
    """Raises what the test put there."""

    permission_classes = [AllowAny]

    def get(self, _request: Request) -> Response:
        raise raised.pop()


class PeopleView(ApiView):
    permission_classes = [AllowAny]
    max_page_size = 50

    def get(self, _request: Request) -> Response:
        return self.page(User.objects.all(), PersonSerializer)


class KeysByPathView(ApiView):
    """Rows in an order that alone is not unique."""

    permission_classes = [AllowAny]
    ordering = ("-path",)

    def get(self, _request: Request) -> Response:
        return self.page(IdempotencyKey.objects.values("lookup", "path"), PathSerializer)


class PathSerializer(serializers.Serializer[dict[str, Any]]):
    path = serializers.CharField()


class PrivateView(ApiView):
    def get(self, request: Request) -> Response:
        return Response({"person": request.user.pk})


class OrdersView(ApiView):
    """Creates something once."""

    permission_classes = [AllowAny]

    @idempotent
    def post(self, request: Request) -> Response:
        return order(request)


class SecretsView(OrdersView):
    seals_answer = True

    @idempotent
    def post(self, request: Request) -> Response:
        return order(request)


class FormsView(OrdersView):
    parser_classes = [FormParser]

    @idempotent
    def post(self, request: Request) -> Response:
        return order(request)


def make_user(*, email: str = "") -> Any:
    """Make somebody who cannot sign in with a password."""
    return User.objects.create_user(email or f"person{next(_numbers)}@example.com")


def order(request: Request) -> Response:
    """Write a row, then do what the body asks for."""
    body = cast("dict[str, Any]", request.data)
    User.objects.create(email=f"{body['name']}{len(effects)}@example.com")
    effects.append(body["name"])
    if body.get("fail"):
        raise ConflictError
    if body.get("answer"):
        return Response({"code": "told"}, status=body["answer"])
    return Response({"number": len(effects), "secret": "canary-of-the-answer"}, status=201)


ERRORS: dict[str, BaseException] = {
    "not_found": NotFoundError("a detail that must not differ"),
    "http404": Http404("no row 17 of somebody else"),
    "data": DataError("value out of range"),
    "product": ProductError("It broke."),
}

urlpatterns = [
    path("api/notes", NotesView.as_view()),
    path("api/raise", RaisingView.as_view()),
    path("api/people", PeopleView.as_view()),
    path("api/keys", KeysByPathView.as_view()),
    path("api/private", PrivateView.as_view()),
    path("api/orders", OrdersView.as_view()),
    path("api/forms", FormsView.as_view()),
    path("api/secrets", SecretsView.as_view()),
    path("page/raise", RaisingView.as_view()),
]
handler400, handler403, handler404, handler500 = bad_request, permission_denied, page_not_found, server_error
