"""What other pages show of a person's money: their default portfolio at a glance, as it was valued last."""

from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import User
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.overview_pages import OverviewPage, overview_page
from apps.portfolios.queries.repair_pages import State, state_of


@dataclass(frozen=True, slots=True)
class MoneyGlance:
    """A portfolio with its figures and how complete they are."""

    portfolio: Portfolio
    page: OverviewPage
    state: State | None
    others: int


def money_glance(*, user: User, now: datetime) -> MoneyGlance | None:
    """Return the person's default portfolio at a glance, nothing before they booked anything in it."""
    mine = list(Portfolio.objects.for_user(user).in_order())
    if not mine or not mine[0].version:
        return None
    portfolio = mine[0]
    return MoneyGlance(
        portfolio=portfolio,
        page=overview_page(portfolio=portfolio, now=now),
        state=state_of(portfolio=portfolio),
        others=len(mine) - 1,
    )
