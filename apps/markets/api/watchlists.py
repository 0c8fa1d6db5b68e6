"""REST: a person's watchlists."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import ApiView, operation
from apps.markets import actions, queries
from apps.markets import serializers as shapes


class WatchlistsView(ApiView):
    """One's lists."""

    refuses_with: ClassVar[Sequence[int]] = (409,)

    @operation(summary="Your watchlists", response=shapes.WatchlistSerializer(many=True), tags=["watchlists"])
    def get(self, request: Request) -> Response:
        return self.results(queries.watchlists_of(user=person_of(request)), shapes.WatchlistSerializer)

    @operation(
        summary="Make a watchlist",
        request=shapes.WatchlistSerializer,
        response=shapes.WatchlistSerializer,
        status=201,
        tags=["watchlists"],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.WatchlistSerializer)
        made = actions.create_watchlist(user=person_of(request), name=values["name"], now=clock.now())
        return self.answer(shapes.WatchlistSerializer, made, status=201)


class WatchlistsOrderView(ApiView):
    """The order of one's lists."""

    @operation(
        summary="Order your watchlists",
        request=shapes.OrderSerializer,
        status=204,
        operation_id="watchlists_order_all",
        tags=["watchlists"],
    )
    def put(self, request: Request) -> Response:
        actions.order_watchlists(user=person_of(request), ids=self.parse(shapes.OrderSerializer)["ids"])
        return self.nothing()


class WatchlistView(ApiView):
    """One of one's lists."""

    refuses_with: ClassVar[Sequence[int]] = (404, 409)

    @operation(summary="A watchlist", response=shapes.WatchlistSerializer, tags=["watchlists"])
    def get(self, request: Request, watchlist_id: UUID) -> Response:
        found = queries.watchlist_of(user=person_of(request), watchlist_id=watchlist_id)
        return self.answer(shapes.WatchlistSerializer, found)

    @operation(
        summary="Rename a watchlist",
        request=shapes.WatchlistSerializer,
        response=shapes.WatchlistSerializer,
        tags=["watchlists"],
    )
    def patch(self, request: Request, watchlist_id: UUID) -> Response:
        name = self.parse(shapes.WatchlistSerializer)["name"]
        row = actions.rename_watchlist(user=person_of(request), watchlist_id=watchlist_id, name=name)
        return self.answer(shapes.WatchlistSerializer, row)

    @operation(summary="Delete a watchlist", status=204, tags=["watchlists"])
    def delete(self, request: Request, watchlist_id: UUID) -> Response:
        actions.delete_watchlist(user=person_of(request), watchlist_id=watchlist_id)
        return self.nothing()


class WatchlistOrderView(ApiView):
    """The order of a list."""

    refuses_with: ClassVar[Sequence[int]] = (404,)

    @operation(summary="Order a watchlist", request=shapes.OrderSerializer, status=204, tags=["watchlists"])
    def put(self, request: Request, watchlist_id: UUID) -> Response:
        ids = self.parse(shapes.OrderSerializer)["ids"]
        actions.order_items(user=person_of(request), watchlist_id=watchlist_id, ids=ids)
        return self.nothing()


class WatchlistItemsView(ApiView):
    """What is on a list."""

    refuses_with: ClassVar[Sequence[int]] = (404, 409)

    @operation(
        summary="Add an instrument to a watchlist",
        description="One that is on the list already is answered as it is, with 200.",
        request=shapes.WatchlistItemSerializer,
        response=shapes.WatchlistItemSerializer,
        status=201,
        others={200: shapes.WatchlistItemSerializer},
        tags=["watchlists"],
    )
    @idempotent
    def post(self, request: Request, watchlist_id: UUID) -> Response:
        values = self.parse(shapes.WatchlistItemSerializer)
        item, is_new = actions.add_to_watchlist(
            user=person_of(request), watchlist_id=watchlist_id, **values, now=clock.now()
        )
        return self.answer(shapes.WatchlistItemSerializer, item, status=201 if is_new else 200)


class WatchlistItemView(ApiView):
    """One instrument on a list."""

    refuses_with: ClassVar[Sequence[int]] = (404,)

    @operation(
        summary="Write a note beside an instrument",
        request=shapes.NoteSerializer,
        response=shapes.WatchlistItemSerializer,
        tags=["watchlists"],
    )
    def patch(self, request: Request, watchlist_id: UUID, item_id: UUID) -> Response:
        note = self.parse(shapes.NoteSerializer)["note"]
        row = actions.note_on_item(user=person_of(request), watchlist_id=watchlist_id, item_id=item_id, note=note)
        return self.answer(shapes.WatchlistItemSerializer, row)

    @operation(summary="Take an instrument off a watchlist", status=204, tags=["watchlists"])
    def delete(self, request: Request, watchlist_id: UUID, item_id: UUID) -> Response:
        actions.remove_from_watchlist(user=person_of(request), watchlist_id=watchlist_id, item_id=item_id)
        return self.nothing()
