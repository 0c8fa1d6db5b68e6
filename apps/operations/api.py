"""Health for whoever asks, metrics for those who may, and the console for those who run the instance."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions.callers import request_meta
from apps.accounts.permissions import RunsInstance, person_of
from apps.core import clock, jobs
from apps.core.api.throttles import client_address
from apps.core.api.views import ApiView, operation
from apps.core.errors import NotFoundError
from apps.operations import actions, queries
from apps.operations.actions.metrics import CONTENT_TYPE, collect_metrics
from apps.operations.serializers import (
    ConsoleSerializer,
    HealthSerializer,
    JobSerializer,
    SelfCheckSerializer,
    StartupSerializer,
    StateSerializer,
)

_RETRY_AFTER = "2"
_NEVER_STORED = {"Cache-Control": "no-store"}
_WAIT = {**_NEVER_STORED, "Retry-After": _RETRY_AFTER}


def _quiet(response: Response) -> Response:
    """Keep the answer out of the log: whoever waits for us asks every moment, and a 503 is what they ask for."""
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own mark
    return response


class OpenView(ApiView):
    """Answers everybody, asks for nobody's identity, and is not limited: whoever watches must not be turned away."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []


class LiveView(OpenView):
    """Whether the page process answers."""

    @operation(summary="Does the page process answer?", response=StateSerializer, tags=["health"])
    def get(self, _request: Request) -> Response:
        return Response({"status": "ok"}, headers=_NEVER_STORED)


class ReadyView(OpenView):
    """Whether this process may take traffic."""

    @operation(
        summary="May it take traffic?",
        description="The database answers and its tables are those of this version.",
        response=StateSerializer,
        others={503: StateSerializer},
        tags=["health"],
    )
    def get(self, _request: Request) -> Response:
        if queries.is_ready():
            return Response({"status": "ok"}, headers=_NEVER_STORED)
        return _quiet(Response({"status": "unavailable"}, status=503, headers=_WAIT))


class StartupView(OpenView):
    """Whether every enabled process has answered."""

    @operation(
        summary="Has every enabled process answered?",
        response=StartupSerializer,
        others={503: StartupSerializer},
        tags=["health"],
    )
    def get(self, _request: Request) -> Response:
        startup = queries.read_startup(now=clock.now())
        if startup.is_complete:
            return Response({"status": "ok", "missing": []}, headers=_NEVER_STORED)
        body = {"status": "starting", "missing": list(startup.missing)}
        return _quiet(Response(body, status=503, headers=_WAIT))


class HealthView(OpenView):
    """Everything this instance consists of."""

    @operation(summary="How is everything?", response=HealthSerializer, tags=["health"])
    def get(self, _request: Request) -> Response:
        health = queries.read_health(now=clock.now())
        return Response(HealthSerializer(health).data, headers=_NEVER_STORED)


class MayReadMetrics(BasePermission):
    """An allow-listed address, somebody who runs the instance, or their token with the scope admin."""

    def has_permission(self, request: Request, _view: object) -> bool:
        """Decide; the address first, so that metrics can be read while the database is away."""
        if _is_allow_listed(client_address(request)):
            return True
        scopes = getattr(request.auth, "scopes", None)
        is_staff = bool(getattr(request.user, "is_staff", False))
        return is_staff and (scopes is None or "admin" in scopes)


def _is_allow_listed(address: str) -> bool:
    allowed = settings.METRICS_ALLOWED_ADDRESSES
    if not allowed or address == "unknown":
        return False
    here = ip_address(address)
    return any(here in ip_network(one, strict=False) for one in allowed)


class MetricsView(ApiView):
    """What Prometheus reads."""

    permission_classes = [MayReadMetrics]

    @operation(
        summary="Metrics in the text format of Prometheus",
        request=None,
        response=OpenApiResponse(OpenApiTypes.STR, description="The metrics of all processes on this machine."),
        status=(200, "text/plain"),
        tags=["health"],
    )
    def get(self, _request: Request) -> HttpResponse:
        return HttpResponse(collect_metrics(now=clock.now()), content_type=CONTENT_TYPE, headers=_NEVER_STORED)


# --- The console ----------------------------------------------------------------------------------------------------
class OwnersView(ApiView):
    """For those who run the instance."""

    permission_classes = [RunsInstance]


class ConsoleView(OwnersView):
    """How the instance is."""

    @operation(summary="Processes, queues, versions", response=ConsoleSerializer, tags=["operations"])
    def get(self, _request: Request) -> Response:
        return self.answer(ConsoleSerializer, queries.read_console(now=clock.now()))


class JobsView(OwnersView):
    """Long work of everybody."""

    @operation(
        summary="The newest hundred jobs",
        description="Of all people and of the instance itself, in any state, the newest first.",
        response=JobSerializer(many=True),
        tags=["operations"],
    )
    def get(self, _request: Request) -> Response:
        return self.results(jobs.recent_jobs(limit=100), JobSerializer)


class CancelJobView(OwnersView):
    """Cancelling one job."""

    @operation(summary="Cancel a job that is not over", request=None, status=204, tags=["operations"])
    def post(self, request: Request, job_id: UUID) -> Response:
        meta = request_meta(request=request)
        actions.cancel_job(actor=person_of(request), job_id=job_id, now=clock.now(), request_meta=meta)
        return self.nothing()


class RetryJobView(OwnersView):
    """Trying one job again."""

    @operation(summary="Queue a parked, failed or cancelled job again", request=None, status=204, tags=["operations"])
    def post(self, request: Request, job_id: UUID) -> Response:
        meta = request_meta(request=request)
        actions.retry_job(actor=person_of(request), job_id=job_id, now=clock.now(), request_meta=meta)
        return self.nothing()


class SelfCheckView(OwnersView):
    """The self-check of the instance."""

    refuses_with: ClassVar[Sequence[int]] = (404,)

    @operation(summary="The newest self-check", response=SelfCheckSerializer, tags=["operations"])
    def get(self, _request: Request) -> Response:
        check = queries.last_self_check()
        if check is None:
            raise NotFoundError
        return self.answer(SelfCheckSerializer, check)

    @operation(
        summary="Start a self-check",
        description="While one is under way, it is answered instead of a second.",
        request=None,
        response=SelfCheckSerializer,
        status=202,
        tags=["operations"],
    )
    def post(self, _request: Request) -> Response:
        return self.answer(SelfCheckSerializer, actions.start_self_check(now=clock.now()), status=202)
