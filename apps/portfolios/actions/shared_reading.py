"""What a visitor with a link reads: made fresh like the owner's own pages, and kept for a while like theirs."""

from datetime import datetime
from decimal import Decimal

from apps.portfolios.actions.keeping_past import keep_past
from apps.portfolios.actions.past import LIVE_SECONDS, kept, read_history, read_performance
from apps.portfolios.actions.reading import read_year, refresh
from apps.portfolios.domain.growth import growth
from apps.portfolios.models import Portfolio, ShareLink
from apps.portfolios.queries.history import lived
from apps.portfolios.queries.overview_pages import overview_page
from apps.portfolios.queries.shared_pages import SharedPortfolio, shared_portfolio
from apps.portfolios.queries.shared_tax import SharedTaxYear, shared_tax_year
from apps.portfolios.queries.tax_pages import tax_year


def read_shared_portfolio(*, link: ShareLink, now: datetime) -> SharedPortfolio:
    """Return the portfolio of a link as it is now; without amounts where the link shows none."""
    portfolio = link.portfolio
    refresh(portfolio=portfolio, now=now)
    portfolio.refresh_from_db()
    return shared_portfolio(
        page=overview_page(portfolio=portfolio, now=now),
        answer=read_performance(portfolio=portfolio, now=now),
        growth=() if link.is_full else _read_growth(portfolio, now),
        history=read_history(portfolio=portfolio, now=now) if link.is_full else None,
        currency=portfolio.currency,
    )


def read_shared_tax_year(*, link: ShareLink, now: datetime) -> SharedTaxYear:
    """Return the tax year of a link, as its owner's page has it; without amounts where the link shows none."""
    year = link.year or now.year
    booked = read_year(portfolio=link.portfolio, year=year, now=now)
    page = tax_year(portfolio=link.portfolio, booked=booked, year=year)
    return shared_tax_year(page=page, full=link.is_full, currency=link.portfolio.currency)


def _read_growth(portfolio: Portfolio, now: datetime) -> list[tuple[int, Decimal]]:
    def made() -> tuple[list[tuple[int, Decimal]], int]:
        past = lived(portfolio=portfolio, now=now, course=keep_past(portfolio=portfolio, now=now))
        return growth(past.history.days), LIVE_SECONDS

    return kept(portfolio=portfolio, question=("growth",), make=made)
