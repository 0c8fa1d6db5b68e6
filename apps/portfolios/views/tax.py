"""The tax year: on the screen, on paper, and as files."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.portfolios import queries
from apps.portfolios.actions.reading import read_year, refresh
from apps.portfolios.actions.year_ends import read_year_end
from apps.portfolios.queries.freezing import differing_years, frozen_trail, frozen_years, is_over
from apps.portfolios.queries.method_lab import method_lab
from apps.portfolios.queries.parts import page_asked
from apps.portfolios.queries.portfolios import timeline_of
from apps.portfolios.queries.tax_files import disposals_csv, form_8949_csv, holdings_csv, income_csv, lots_csv
from apps.portfolios.queries.tax_pages import TAX_PARTS, TaxYear, booked_years, tax_parts, tax_year
from apps.portfolios.queries.year_issues import year_issues
from apps.portfolios.views.chosen import Chosen, chosen

FIRST_YEAR: Final = 1
LAST_YEAR: Final = 9998
HOLDINGS: Final = "holdings"
FILES: Final[dict[str, Callable[..., str]]] = {
    "disposals": disposals_csv,
    "lots": lots_csv,
    "8949": form_8949_csv,
    "income": income_csv,
}


@require_safe
@login_required
@never_cache
def tax(request: HttpRequest, year: int | None = None) -> HttpResponse:
    """Show a tax year, the newest one with anything in it unless another is asked for."""
    held, now = chosen(request), clock.now()
    if year is not None:
        _refuse_odd(year)
    years = booked_years(portfolio=held.portfolio)
    shown = year or (years[0] if years else now.year)
    booked = read_year(portfolio=held.portfolio, year=shown, now=now)
    frozen = frozen_years(portfolio=held.portfolio)
    page = tax_year(portfolio=held.portfolio, booked=booked, year=shown)
    asked = {name: page_asked(text=request.GET.get(name, "")) for name in TAX_PARTS}
    inside = held.inside(
        page=page,
        parts=tax_parts(page=page, asked=asked, whole="whole" in request.GET),
        is_whole="whole" in request.GET,
        policy=queries.checked_policy_of(raw=booked["policy"]),
        years=sorted({*page.years, *frozen, *([shown] if page.frozen or page.disposals else [])}, reverse=True),
        frozen_years=frozen,
        issues=year_issues(portfolio=held.portfolio, year=shown, booked=booked),
        trail=list(frozen_trail(portfolio=held.portfolio, year=shown)),
        is_over=is_over(year=shown, now=now),
    )
    return render(request, "portfolios/tax.html", inside)


@require_safe
@login_required
@never_cache
def tax_differences(request: HttpRequest) -> HttpResponse:
    """Lead to the newest frozen year that the ledger has otherwise today."""
    portfolio = chosen(request).portfolio
    refresh(portfolio=portfolio, now=clock.now())
    found = differing_years(portfolio=portfolio)
    return redirect("portfolios:tax_year", year=found[0]) if found else redirect("portfolios:tax")


@require_safe
@login_required
@never_cache
def tax_year_end(request: HttpRequest, year: int) -> HttpResponse:
    """Show what was held at the end of a year."""
    held, now = chosen(request), clock.now()
    _refuse_odd(year)
    found = read_year_end(portfolio=held.portfolio, year=year, now=now)
    return render(request, "portfolios/_year_end.html", held.inside(found=found, year=year))


@require_safe
@login_required
@never_cache
def tax_lab(request: HttpRequest, year: int) -> HttpResponse:
    """Show what every method would make of a year."""
    held = chosen(request)
    _refuse_odd(year)
    own = timeline_of(portfolio=held.portfolio)
    rows = method_lab(portfolio=held.portfolio, own=own, year=year)
    ours = next(row.realised for row in rows if row.is_own)
    return render(request, "portfolios/_lab.html", held.inside(rows=rows, own=ours, year=year))


@require_safe
@login_required
@never_cache
def tax_file(request: HttpRequest, year: int, name: str) -> HttpResponse:
    """Send a tax year as a file; amounts that are hidden are not sent either."""
    held = chosen(request)
    _refuse_odd(year)
    if name not in {*FILES, HOLDINGS}:
        raise Http404
    if held.private:
        messages.info(request, _("Amounts are hidden. Show them with the eye above, then fetch the file."))
        return redirect("portfolios:tax_year", year=year)
    answer = HttpResponse(_file(held, year, name), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="coinsphere-{year}-{name}.csv"'
    return answer


def _file(held: Chosen, year: int, name: str) -> str:
    now = clock.now()
    if name == HOLDINGS:
        found: dict[str, Any] | None = read_year_end(portfolio=held.portfolio, year=year, now=now)
        if found is None:
            raise Http404
        return holdings_csv(holdings=found)
    booked = read_year(portfolio=held.portfolio, year=year, now=now)
    page: TaxYear = tax_year(portfolio=held.portfolio, booked=booked, year=year)
    return FILES[name](page=page)


def _refuse_odd(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404
