"""One asset for a reader: what was booked of it, and its chart as far as prices are known."""

from datetime import datetime

from apps.portfolios.actions.past import KEPT_SECONDS, ask_for, kept
from apps.portfolios.actions.reading import read_asset
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.holding_charts import HoldingChart, bucket_of, holding_chart
from apps.portfolios.queries.holding_pages import AssetBooking, asset_booking
from apps.portfolios.queries.portfolios import timeline_of


def read_asset_booking(*, portfolio: Portfolio, asset: str, lots: int, now: datetime) -> AssetBooking:
    """Return what was booked of one asset, with at most so many lots; the ledger is booked first where it moved on."""

    timeline = timeline_of(portfolio=portfolio)

    def made() -> tuple[AssetBooking, int]:
        buckets = bucket_of(asset=asset, timeline=timeline)
        booked = read_asset(portfolio=portfolio, asset=asset, buckets=buckets, now=now)
        return asset_booking(booked=booked, asset=asset, lots=lots), 1 if booked["stale"] else KEPT_SECONDS

    question = ("booked", asset, lots, timeline)
    return kept(portfolio=portfolio, question=question, make=made)


def read_holding_chart(*, portfolio: Portfolio, asset: str, now: datetime) -> HoldingChart:
    """Return the chart of one asset of a portfolio; ask for the prices of days that lack them."""

    def made() -> tuple[HoldingChart, int]:
        found = holding_chart(portfolio=portfolio, asset=asset, now=now)
        ask_for(wanted=found.wanted, now=now)
        return found, KEPT_SECONDS

    question = ("holding", asset, timeline_of(portfolio=portfolio))
    return kept(portfolio=portfolio, question=question, make=made)
