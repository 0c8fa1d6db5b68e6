"""REST: syncs, asked for and looked back on."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.views import ApiView, operation
from apps.exchanges import serializers as shapes
from apps.exchanges.actions.scheduling import request_all, request_sync
from apps.exchanges.queries.connections import connection_of
from apps.exchanges.queries.standings import runs_of

_TAGS = ["exchanges"]


class SyncView(ApiView):
    """Asks for a sync."""

    refuses_with: ClassVar[Sequence[int]] = (404, 409)

    @operation(
        summary="Sync now",
        description="Asked again while one is open, the same run is named.",
        response=shapes.QueuedSerializer,
        status=202,
        tags=_TAGS,
    )
    def post(self, request: Request, connection_id: UUID) -> Response:
        user = person_of(request)
        found = connection_of(user=user, connection_id=connection_id)
        run = request_sync(connection=found, by=user, now=clock.now())
        return self.answer(shapes.QueuedSerializer, {"run": run.pk}, status=202)


class SyncAllView(ApiView):
    """Asks for a sync of everything."""

    @operation(
        summary="Sync everything",
        description="Every connection that is neither paused nor refused by its exchange.",
        response=shapes.QueuedAllSerializer,
        status=202,
        tags=_TAGS,
    )
    def post(self, request: Request) -> Response:
        runs = request_all(user=person_of(request), now=clock.now())
        return self.answer(shapes.QueuedAllSerializer, {"runs": [run.pk for run in runs]}, status=202)


class RunsView(ApiView):
    """The syncs of a connection."""

    refuses_with: ClassVar[Sequence[int]] = (404,)
    ordering = ("-id",)

    @operation(
        summary="Syncs of a connection",
        description="Newest first, with what was fetched, what was posted, and what was wrong.",
        response=shapes.RunSerializer(many=True),
        tags=_TAGS,
    )
    def get(self, request: Request, connection_id: UUID) -> Response:
        found = connection_of(user=person_of(request), connection_id=connection_id)
        return self.page(runs_of(connection=found), shapes.RunSerializer)
