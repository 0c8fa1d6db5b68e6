"""Freezing a tax year, taking today's figures into it, and unlocking it, from its page."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.actions.callers import request_meta
from apps.core import clock
from apps.core.errors import NotFoundError, ProductError
from apps.portfolios.actions import freezing
from apps.portfolios.models.frozen import LONGEST_REASON
from apps.portfolios.views.chosen import chosen


@require_POST
@login_required
def freeze_year(request: HttpRequest, year: int) -> HttpResponse:
    """Keep the figures of a year as they are."""
    held = chosen(request)
    return _then(
        request,
        year,
        lambda: freezing.freeze_year(
            user=held.person,
            portfolio_id=held.portfolio.pk,
            year=year,
            accept_issues=_accepted(request),
            note=_words(request, "note"),
            now=clock.now(),
            request_meta=request_meta(request=request),
        ),
        _("The year is frozen. What would change it from now on is shown as a difference."),
    )


@require_POST
@login_required
def accept_year(request: HttpRequest, year: int) -> HttpResponse:
    """Freeze a year anew with the figures of today."""
    held = chosen(request)
    return _then(
        request,
        year,
        lambda: freezing.accept_year(
            user=held.person,
            portfolio_id=held.portfolio.pk,
            year=year,
            accept_issues=_accepted(request),
            reason=_words(request, "reason"),
            now=clock.now(),
            request_meta=request_meta(request=request),
        ),
        _("The year is frozen anew with today's figures. The former ones stay in its trail."),
    )


@require_POST
@login_required
def unlock_year(request: HttpRequest, year: int) -> HttpResponse:
    """Let a year follow the ledger again."""
    held = chosen(request)
    return _then(
        request,
        year,
        lambda: freezing.unlock_year(
            user=held.person,
            portfolio_id=held.portfolio.pk,
            year=year,
            reason=_words(request, "reason"),
            now=clock.now(),
            request_meta=request_meta(request=request),
        ),
        _("The year is unlocked and follows the ledger again. What was frozen stays in its trail."),
    )


def _accepted(request: HttpRequest) -> bool:
    return request.POST.get("accept_issues") == "1"


def _words(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").strip()[:LONGEST_REASON]


def _then(request: HttpRequest, year: int, act: Callable[[], object], said: str) -> HttpResponse:
    try:
        act()
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, said)
    return redirect("portfolios:tax_year", year=year)
