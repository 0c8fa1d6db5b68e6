"""Makes portfolios, drafts and entries for tests."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.portfolios import actions
from apps.portfolios.domain.drafts import EntryDraft, draft_of
from apps.portfolios.domain.frozen import ROWS, TOTALS
from apps.portfolios.models import Portfolio
from apps.portfolios.models.frozen import FrozenYear
from apps.portfolios.queries.freezing import packed_figures

NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)


def make_portfolio(*, user: User | None = None, name: str = "Long", currency: str = "USD") -> Portfolio:
    """Make a portfolio that is not the default one."""
    return Portfolio.objects.create(owner=user or make_user(), name=name, currency=currency)


def make_default(*, user: User | None = None) -> Portfolio:
    """Make a person's default portfolio."""
    return actions.ensure_default_portfolio(user=user or make_user(), now=clock.now())


def raw_buy(**fields: object) -> dict[str, object]:
    """Return a purchase in the portable format."""
    return {
        "ts": "2024-01-02T12:00:00Z",
        "type": "buy",
        "asset": "BTC",
        "amount": "1",
        "price": "40000",
        **fields,
    }


def make_draft(**fields: object) -> EntryDraft:
    """Make a draft of a purchase, or of what the fields say."""
    return draft_of(raw_buy(**fields), source="test")


def post(portfolio: Portfolio, *rows: dict[str, Any], **more: Any) -> actions.Posted:
    """Post transactions of the portable format."""
    drafts = [draft_of(row, source="test") for row in rows]
    return actions.post_entries(
        portfolio=portfolio, drafts=drafts, source="test", by=portfolio.owner, now=clock.now(), **more
    )


def make_frozen(*, portfolio: Portfolio, year: int) -> FrozenYear:
    """Freeze a year in which nothing happened."""
    totals = dict.fromkeys(TOTALS, "0")
    figures = {**{name: [] for name in ROWS}, **totals, "holdings": [], "holdings_total": "0"}
    return FrozenYear.objects.create(
        portfolio=portfolio,
        year=year,
        currency=portfolio.currency,
        policy={},
        version=portfolio.version,
        input_hash="0" * 64,
        result_hash="0" * 64,
        totals=totals,
        body=packed_figures(figures=figures),
        by=portfolio.owner,
        at=clock.now(),
    )


def number(text: str) -> Decimal:
    """Return an exact number."""
    return Decimal(text)
