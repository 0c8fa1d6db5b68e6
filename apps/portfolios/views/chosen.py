"""Which portfolio a page is about, and what every page of the ledger shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from apps.accounts.actions.callers import signed_in_person
from apps.accounts.queries import preferences_of
from apps.core import clock
from apps.markets.queries import current_world
from apps.portfolios import actions, queries
from apps.portfolios.models import Portfolio

if TYPE_CHECKING:
    from apps.accounts.models import User

CHOSEN: Final = "portfolio"
DEMO_WORLD: Final = "simulated"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who looks, at which of their portfolios, in which zone, and whether amounts are hidden."""

    person: User
    portfolio: Portfolio
    portfolios: tuple[Portfolio, ...]
    zone: tzinfo
    private: bool

    def inside(self, **more: object) -> Mapping[str, object]:
        """Return what templates of the ledger expect, and more."""
        return {
            "portfolio": self.portfolio,
            "portfolios": self.portfolios,
            "simulated": current_world() == DEMO_WORLD,
            **more,
        }


def chosen(request: HttpRequest) -> Chosen:
    """Return the portfolio that the person chose last, or their default one, which is made on the first question."""
    person = signed_in_person(request=request)
    mine = tuple(queries.portfolios_of(user=person))
    if not mine:
        mine = (actions.ensure_default_portfolio(user=person, now=clock.now()),)
    wanted = request.session.get(CHOSEN)
    kept = preferences_of(user=person)
    return Chosen(
        person=person,
        portfolio=next((one for one in mine if str(one.pk) == wanted), mine[0]),
        portfolios=mine,
        zone=ZoneInfo(kept.time_zone) if kept.time_zone else UTC,
        private=kept.private,
    )


@require_POST
@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Show another portfolio from now on."""
    person = signed_in_person(request=request)
    try:
        wanted = UUID(request.POST.get("portfolio", ""))
    except ValueError as error:
        raise Http404 from error
    if not queries.portfolios_of(user=person).filter(pk=wanted).exists():
        raise Http404
    request.session[CHOSEN] = str(wanted)
    back = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect("portfolios:overview")
