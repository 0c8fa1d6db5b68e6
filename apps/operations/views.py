"""The owner's console: health, jobs and the self-check. Others are told that there is nothing here."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.actions.callers import request_meta, signed_in_person
from apps.core import clock, jobs
from apps.core.errors import ProductError
from apps.core.models.work import OPEN_STATES, WorkState
from apps.operations import actions, queries

JOBS_SHOWN: Final = 100
JOB_STATES: Final[dict[str, frozenset[str]]] = {
    "all": frozenset(WorkState.values),
    "open": frozenset(OPEN_STATES),
    "parked": frozenset({WorkState.PARKED, WorkState.FAILED}),
}

View = Callable[..., HttpResponse]


def for_those_who_run_it(view: View) -> View:
    """Let owner and admin in; to everybody else the page does not exist."""

    @wraps(view)
    @login_required
    @never_cache
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 - what the address holds
        if not getattr(request.user, "runs_instance", False):
            raise Http404
        return view(request, **kwargs)

    return guarded


@require_safe
@for_those_who_run_it
def console(request: HttpRequest) -> HttpResponse:
    """Show how the instance is."""
    now = clock.now()
    return render(request, "operations/console.html", {"console": queries.read_console(now=now), "now": now})


@require_safe
@for_those_who_run_it
def job_list(request: HttpRequest) -> HttpResponse:
    """List long work, all of it or what needs a look."""
    wanted = request.GET.get("show", "all")
    if wanted not in JOB_STATES:
        raise Http404
    found = [job for job in jobs.recent_jobs(limit=JOBS_SHOWN) if job.state in JOB_STATES[wanted]]
    inside = {"jobs": found, "show": wanted, "limit": JOBS_SHOWN, "now": clock.now()}
    return render(request, "operations/jobs.html", inside)


@require_POST
@for_those_who_run_it
def cancel_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Cancel one piece of work."""
    return _after(request, lambda: actions.cancel_job(**_asked(request, job_id)), _("The job was cancelled."))


@require_POST
@for_those_who_run_it
def retry_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Queue one piece of work again."""
    return _after(request, lambda: actions.retry_job(**_asked(request, job_id)), _("The job is queued again."))


def _asked(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    person, meta = signed_in_person(request=request), request_meta(request=request)
    return {"actor": person, "job_id": job_id, "now": clock.now(), "request_meta": meta}


def _after(request: HttpRequest, act: Callable[[], object], said: str) -> HttpResponse:
    try:
        act()
    except ProductError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, said)
    return redirect("operations:jobs")


@require_POST
@for_those_who_run_it
def start_self_check(request: HttpRequest) -> HttpResponse:
    """Queue a self-check and show it."""
    actions.start_self_check(now=clock.now())
    if request.headers.get("HX-Request"):
        return _self_check_part(request)
    return redirect("operations:console")


@require_safe
@for_those_who_run_it
def self_check(request: HttpRequest) -> HttpResponse:
    """Show the newest self-check, for the page that waits for its end."""
    return _self_check_part(request)


def _self_check_part(request: HttpRequest) -> HttpResponse:
    inside = {"check": queries.last_self_check(), "now": clock.now()}
    return render(request, "operations/_self_check.html", inside)
