"""The one style of REST views: parse with a serializer, call an action or a query, answer with a serializer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ListField, MultipleChoiceField, Serializer
from rest_framework.views import APIView

from apps.core.api.formats import OneFormat, check_text, dumps
from apps.core.api.pagination import CursorPages
from apps.core.api.throttles import AnonThrottle, ScopedThrottle
from apps.core.errors import DeniedError, UnauthenticatedError

_View = TypeVar("_View", bound=Callable[..., Any])
Shape = type[Serializer[Any]]


_tools: dict[tuple[Any, ...], list[Any]] = {}


def _one_of_each(kinds: Iterable[Any]) -> list[Any]:
    """Return one tool of each kind, always the same ones: none of them remembers anything."""
    wanted = tuple(kinds)
    made = _tools.get(wanted)
    if made is None:
        made = _tools[wanted] = [kind() for kind in wanted]
    return made


class ApiView(APIView):
    """A resource. Lists come as pages; a POST marked `@idempotent` may be repeated with its key.

    `throttle_scope` names a limit of its own in the settings' API_RATES, besides the general one.
    """

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    content_negotiation_class = OneFormat
    metadata_class = None
    pagination_class: ClassVar[type[CursorPages]] = CursorPages
    ordering: ClassVar[Sequence[str]] = ()
    throttle_scope: ClassVar[str] = ""
    #: Statuses with which the view itself refuses, beyond those that its rights, limits and input bring along.
    refuses_with: ClassVar[Sequence[int]] = ()
    standing_headers: ClassVar[dict[str, str]]
    #: The stored answer to an idempotency key holds a secret.
    seals_answer: ClassVar[bool] = False
    #: The effect and the stored answer commit together; off only where the action talks to the network first.
    answers_in_transaction: ClassVar[bool] = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002 - the framework's
        """Check method, identity, limits and rights, in this order: nobody gets around the limits."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        if not hasattr(self, str(request.method).lower()) or request.method == "OPTIONS":
            raise exceptions.MethodNotAllowed(str(request.method))
        try:
            self.perform_authentication(request)
        except (exceptions.APIException, UnauthenticatedError, DeniedError):
            self._count_stranger(request)
            raise
        self.check_throttles(request)
        self.check_permissions(request)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:  # noqa: ANN401 - the framework's
        return Request(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context={"view": self, "args": args, "kwargs": kwargs},
        )

    # --- Tools, made once -------------------------------------------------------------------------------------------
    def get_renderers(self) -> list[Any]:
        return _one_of_each(self.renderer_classes)

    def get_parsers(self) -> list[Any]:
        return _one_of_each(self.parser_classes)

    def get_authenticators(self) -> list[Any]:
        return _one_of_each(self.authentication_classes)

    def get_permissions(self) -> Sequence[Any]:
        return _one_of_each(self.permission_classes)

    def get_content_negotiator(self) -> Any:  # noqa: ANN401 - the framework's
        return _one_of_each((self.content_negotiation_class,))[0]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:  # noqa: FBT001, FBT002 - the framework's
        """Return the renderer; where there is one only, nothing is negotiated."""
        if len(self.renderer_classes) > 1:
            return super().perform_content_negotiation(request, force)
        only = self.get_renderers()[0]
        return only, str(only.media_type)

    def perform_authentication(self, request: Request) -> None:
        """Ask who it is, once and at once."""
        asked: Any = request
        for authenticator in asked.authenticators:
            who = authenticator.authenticate(request)
            if who is not None:
                asked._authenticator = authenticator  # noqa: SLF001 - the framework wants to know who knew them
                asked.user, asked.auth = who
                return
        super().perform_authentication(request)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return what every answer of this view carries."""
        kind = type(self)
        if "standing_headers" not in vars(kind):
            kind.standing_headers = super().default_response_headers
        return dict(kind.standing_headers)

    def _count_stranger(self, request: Request) -> None:
        """Count whoever showed a token that is not accepted, so that guessing is limited too."""
        request.user = AnonymousUser()
        wait = AnonThrottle().seconds(request, self)
        if wait:
            self.throttled(request, wait)

    def get_throttles(self) -> list[Any]:
        """Return the general limits and the view's own."""
        general = _one_of_each(self.throttle_classes)
        return [*general, *_one_of_each((ScopedThrottle,))] if self.throttle_scope else general

    def check_throttles(self, request: Request) -> None:
        """Count the request in every limit, and refuse it for as long as the strictest says."""
        wait = max((throttle.seconds(request, self) for throttle in self.get_throttles()), default=0)
        if wait:
            self.throttled(request, wait)

    # --- input ------------------------------------------------------------------------------------------------------
    def parse(self, shape: Shape, *, partial: bool = False) -> dict[str, Any]:
        """Return the body as the serializer reads it, or raise what is wrong with it."""
        return self._validated(shape(data=self.request.data, partial=partial, context={"request": self.request}))

    def parse_query(self, shape: Shape) -> dict[str, Any]:
        """Return the query parameters as the serializer reads them."""
        for name, values in self.request.query_params.lists():
            for text in (name, *values):
                check_text(text, field=name)
        serializer = shape(context={"request": self.request})
        serializer.initial_data = _plain_query(self.request.query_params, serializer)
        return self._validated(serializer)

    @staticmethod
    def _validated(serializer: Serializer[Any]) -> dict[str, Any]:
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    # --- output -----------------------------------------------------------------------------------------------------
    def answer(self, shape: Shape, value: object, *, status: int = 200) -> Response:
        """Return one object."""
        return Response(shape(value, context={"request": self.request}).data, status=status)

    def ready(self, value: object) -> HttpResponse:
        """Return plain data as JSON at once: the way of hot reads, which have made the shape of the answer already."""
        return HttpResponse(dumps(value), content_type="application/json")

    def nothing(self) -> Response:
        """Return 204."""
        return Response(status=204)

    def page(self, rows: "QuerySet[Any, Any]", shape: Shape) -> Response:
        """Return the page of the queryset that the request asks for."""
        pages = self.pagination_class()
        found = pages.paginate_queryset(rows, self.request, self)
        return pages.get_paginated_response(shape(found, many=True, context={"request": self.request}).data)

    def results(self, rows: Iterable[object], shape: Shape) -> Response:
        """Return a short list whole, in the form of a page."""
        return Response({"results": shape(rows, many=True, context={"request": self.request}).data, "next": None})


def _plain_query(query: QueryDict, serializer: Serializer[Any]) -> dict[str, Any]:
    """Return the last value of each name, and of lists all, separated by commas or repeated."""
    fields = serializer.fields
    return {
        name: [one for text in values for one in text.split(",") if one]
        if isinstance(fields.get(name), ListField | MultipleChoiceField)
        else values[-1]
        for name, values in query.lists()
    }


def operation(
    *,
    summary: str,
    description: str = "",
    request: object = None,
    query: Shape | None = None,
    response: object = None,
    status: int | tuple[int, str] = 200,
    parameters: Sequence[OpenApiParameter] = (),
    others: Mapping[int, object] | Mapping[tuple[int, str], object] | None = None,
    **more: Any,  # noqa: ANN401 - examples, tags, ...: what `extend_schema` takes
) -> Callable[[_View], _View]:
    """Document one method of a view; problem answers, paging and security are added by themselves.

    `status`, and those of `others`, may name a content type besides: `(200, "text/plain")`.
    """
    answer = response if response is not None else OpenApiResponse(description="Done.")
    responses: dict[int | tuple[int, str], object] = {status: answer}
    responses.update((others or {}).items())
    decorator: Callable[[_View], _View] = extend_schema(
        summary=summary,
        description=description or None,
        request=request,
        parameters=[*([query] if query else []), *parameters],
        responses=responses,
        **more,
    )
    return decorator
