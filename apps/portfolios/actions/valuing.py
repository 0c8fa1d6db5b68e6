"""Valuing: holdings take the newest prices, and the answer about them is written once for all who ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.core.api.formats import dumps
from apps.core.api.times import iso_z
from apps.core.events import publish
from apps.portfolios.actions.frozen_checks import note_checks
from apps.portfolios.domain.booking import Booking
from apps.portfolios.domain.held import held
from apps.portfolios.events import PortfolioRevalued
from apps.portfolios.models import BookedResult, Holding, Portfolio, PortfolioValue
from apps.portfolios.queries.completeness import completeness_of
from apps.portfolios.queries.holdings import PricedHolding, answer_of, as_held, price_remarks, priced, total_of
from apps.portfolios.queries.pricing import prices_of
from apps.portfolios.queries.ways import remember_ways

#: Portfolios that somebody looked at so lately are valued by themselves.
WATCHED: Final = timedelta(hours=1)
MOST_AT_ONCE: Final = 200
_PRICE_COLUMNS: Final = ("price", "price_state", "price_source", "price_at", "value", "unrealised")
_HELD_COLUMNS: Final = ("amount", "cost_basis", "accounts")


def keep_holdings(*, portfolio: Portfolio, booking: Booking) -> None:
    """Write what a booking holds in place of what was held before; prices stay until the next valuing."""
    rows = [as_held(one=one) for one in held(booking) if one.amount]
    Holding.objects.filter(portfolio=portfolio).exclude(asset__in=[row[0] for row in rows]).delete()
    Holding.objects.bulk_create(
        [
            Holding(portfolio=portfolio, asset=asset, amount=amount, cost_basis=cost, accounts=accounts)
            for asset, amount, cost, accounts in rows
        ],
        update_conflicts=True,
        unique_fields=["portfolio", "asset"],
        update_fields=list(_HELD_COLUMNS),
    )


def revalue(*, portfolio_id: UUID, now: datetime, seen: bool = False) -> PortfolioValue | None:
    """Value a booked portfolio at the newest prices; nothing while another process is doing so."""
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    result = BookedResult.objects.filter(portfolio=portfolio, is_own=True).first()
    if result is None:
        return None
    note_checks(portfolio=portfolio, result=result)
    rows = _priced(portfolio, now)
    found = completeness_of(portfolio=portfolio, result=result, remarks=price_remarks(rows=rows))
    answer = answer_of(portfolio=portfolio, rows=rows, found=found)
    body = dumps(answer)
    with transaction.atomic():
        PortfolioValue.objects.get_or_create(
            portfolio=portfolio,
            defaults={"valued_at": now, "seen_at": now, "currency": portfolio.currency, "body": b""},
        )
        kept = PortfolioValue.objects.select_for_update(skip_locked=True).filter(portfolio=portfolio).first()
        if kept is None:
            return None
        changed = bytes(kept.body) != body
        kept.booked_version, kept.valued_at = result.version, now
        kept.seen_at = now if seen else kept.seen_at
        if changed:
            kept.version += 1
            kept.completeness = answer["completeness"]
            kept.body, kept.total, kept.currency = body, total_of(rows=rows), portfolio.currency
            _keep_prices(portfolio, rows)
            publish(
                PortfolioRevalued(
                    portfolio_id=portfolio.pk,
                    owner_id=portfolio.owner_id,
                    version=kept.version,
                    booked=kept.booked_version,
                    currency=kept.currency,
                    total=kept.total,
                    as_of=iso_z(now),
                )
            )
        kept.save()
        return kept


def revalue_watched(*, now: datetime) -> int:
    """Value the booked portfolios that somebody looked at lately, those first that waited longest."""
    watched = PortfolioValue.objects.filter(seen_at__gt=now - WATCHED).order_by("valued_at")
    ids = list(watched.values_list("pk", flat=True)[:MOST_AT_ONCE])
    return sum(revalue(portfolio_id=portfolio_id, now=now) is not None for portfolio_id in ids)


def _priced(portfolio: Portfolio, now: datetime) -> list[PricedHolding]:
    held_rows = Holding.objects.filter(portfolio=portfolio).order_by("asset")
    rows = list(held_rows.values_list("asset", "amount", "cost_basis", "accounts"))
    rates = prices_of(assets=[row[0] for row in rows], currency=portfolio.currency, now=now)
    remember_ways(portfolio=portfolio, rates=rates)
    return [
        priced(asset=asset, amount=amount, cost=cost, accounts=accounts, rate=rates.get(asset))
        for asset, amount, cost, accounts in rows
    ]


def _keep_prices(portfolio: Portfolio, rows: Sequence[PricedHolding]) -> None:
    """Write the prices beside the holdings, unless these were booked anew meanwhile: then they are valued again."""
    there = set(
        Holding.objects.select_for_update().filter(portfolio=portfolio).values_list("asset", "amount", "cost_basis")
    )
    Holding.objects.bulk_create(
        [
            Holding(
                portfolio=portfolio,
                asset=row.asset,
                amount=row.amount,
                cost_basis=row.cost_basis,
                accounts=row.accounts,
                **{name: getattr(row, name) for name in _PRICE_COLUMNS},
            )
            for row in rows
            if (row.asset, row.amount, row.cost_basis) in there
        ],
        update_conflicts=True,
        unique_fields=["portfolio", "asset"],
        update_fields=list(_PRICE_COLUMNS),
    )
