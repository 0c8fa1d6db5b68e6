"""The tax year: on the screen, on paper, and as files."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.portfolios import queries
from apps.portfolios.actions.reading import read_gains
from apps.portfolios.queries.method_lab import method_lab
from apps.portfolios.queries.tax_pages import booked_years, disposals_csv, form_8949_csv, income_csv, tax_year
from apps.portfolios.views.chosen import chosen

FIRST_YEAR: Final = 1
LAST_YEAR: Final = 9999
FILES: Final[dict[str, Callable[..., str]]] = {
    "disposals": disposals_csv,
    "8949": form_8949_csv,
    "income": income_csv,
}


@require_safe
@login_required
@never_cache
def tax(request: HttpRequest, year: int | None = None) -> HttpResponse:
    """Show a tax year, the newest one with anything in it unless another is asked for."""
    held = chosen(request)
    if year is not None and not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404
    now = clock.now()
    years = booked_years(portfolio=held.portfolio)
    shown = year or (years[0] if years else now.astimezone(held.zone).year)
    booked = read_gains(portfolio=held.portfolio, year=shown, policy=None, now=now)
    policy = queries.policy_of(portfolio=held.portfolio)
    page = tax_year(portfolio=held.portfolio, booked=booked, year=shown)
    return render(request, "portfolios/tax.html", held.inside(page=page, policy=policy))


@require_safe
@login_required
@never_cache
def tax_lab(request: HttpRequest, year: int) -> HttpResponse:
    """Show what every method would make of a year."""
    held = chosen(request)
    own = queries.policy_of(portfolio=held.portfolio)
    rows = method_lab(portfolio=held.portfolio, own=own, year=year)
    ours = next(row.realised for row in rows if row.is_own)
    return render(request, "portfolios/_lab.html", held.inside(rows=rows, own=ours, year=year))


@require_safe
@login_required
@never_cache
def tax_file(request: HttpRequest, year: int, name: str) -> HttpResponse:
    """Send a tax year as a file; amounts that are hidden are not sent either."""
    held = chosen(request)
    if name not in FILES or not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404
    if held.private:
        messages.info(request, _("Amounts are hidden. Show them with the eye above, then fetch the file."))
        return redirect("portfolios:tax_year", year=year)
    booked = read_gains(portfolio=held.portfolio, year=year, policy=None, now=clock.now())
    page = tax_year(portfolio=held.portfolio, booked=booked, year=year)
    answer = HttpResponse(FILES[name](page=page), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="coinsphere-{year}-{name}.csv"'
    return answer
