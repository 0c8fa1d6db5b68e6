"""REST: how a portfolio did, its value day by day, and where it lies."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.fields import AmountSerializerField
from apps.core.api.time_fields import RangeSerializer, TimeField
from apps.core.api.views import operation
from apps.portfolios import actions, queries
from apps.portfolios import serializers as shapes
from apps.portfolios.api.portfolios import PortfolioDoor
from apps.portfolios.domain.performance import LEAST_SAMPLES
from apps.portfolios.queries import AllocationBy, HistoryAnswer, Interval, PerformanceAnswer

Values = dict[str, Any]
_LONGEST_BENCHMARK = 64
#: A figure of `Performance` that goes out under its own name.
_FIGURES = (
    *("start_value", "end_value", "deposits", "withdrawals", "profit", "twr", "xirr", "roi", "volatility", "sharpe"),
    *("sortino", "calmar", "max_drawdown", "max_drawdown_days", "current_drawdown", "samples"),
)
#: Fractions of a stretch, which the contract has from 60 days on.
_TOTALS = ("twr", "roi")
_MONEY = frozenset({"start_value", "end_value", "deposits", "withdrawals", "profit"})


class PerformanceQuerySerializer(RangeSerializer):
    """Which stretch, and what to compare with."""

    benchmark = serializers.CharField(
        max_length=_LONGEST_BENCHMARK,
        required=False,
        default="BTC",
        help_text="An asset such as BTC, several in equal parts such as BTC+ETH, or a market such as binance:BTC/USDT.",
    )


class BenchmarkSerializer(serializers.Serializer[Any]):
    """What something else did with the same money on the same days."""

    instrument = serializers.CharField()
    twr = AmountSerializerField(allow_null=True)
    same_flows_value = AmountSerializerField(allow_null=True)


class ContributionSerializer(serializers.Serializer[Any]):
    """What one asset or account added to the profit."""

    name = serializers.CharField()
    profit = AmountSerializerField()


class FlowSerializer(serializers.Serializer[Any]):
    """Money of a day: put in below zero, taken out or there at the end above."""

    date = serializers.DateField()
    amount = AmountSerializerField()


class PerformanceSerializer(serializers.Serializer[Any]):
    """The figures of a stretch; a fraction is null where it is not defined, and under 60 days of samples."""

    currency = serializers.CharField()
    to = TimeField()
    start_value = AmountSerializerField()
    end_value = AmountSerializerField()
    deposits = AmountSerializerField()
    withdrawals = AmountSerializerField()
    profit = AmountSerializerField()
    realised = AmountSerializerField()
    unrealised = AmountSerializerField()
    income = AmountSerializerField()
    fees = AmountSerializerField()
    twr = AmountSerializerField(allow_null=True)
    xirr = AmountSerializerField(allow_null=True)
    roi = AmountSerializerField(allow_null=True)
    volatility = AmountSerializerField(allow_null=True)
    sharpe = AmountSerializerField(allow_null=True)
    sortino = AmountSerializerField(allow_null=True)
    calmar = AmountSerializerField(allow_null=True)
    max_drawdown = AmountSerializerField(allow_null=True)
    max_drawdown_days = serializers.IntegerField(allow_null=True)
    current_drawdown = AmountSerializerField(allow_null=True)
    benchmark = BenchmarkSerializer()
    samples = serializers.IntegerField()
    contribution = serializers.DictField(child=ContributionSerializer(many=True))
    flows = FlowSerializer(many=True)
    pending = serializers.BooleanField()
    simulated = serializers.BooleanField()
    completeness = shapes.CompletenessSerializer()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python keeps for itself."""
        return {"from": TimeField(allow_null=True), **super().get_fields()}


class HistoryQuerySerializer(RangeSerializer):
    """Which stretch, and how far apart the points are."""

    interval = serializers.ChoiceField(choices=[one.value for one in Interval], required=False, default="1d")


class HistorySerializer(serializers.Serializer[Any]):
    """Points `[ts, value, net_deposits]`, oldest first."""

    currency = serializers.CharField()
    results = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    incomplete = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    pending = serializers.BooleanField()
    simulated = serializers.BooleanField()


class AllocationQuerySerializer(serializers.Serializer[Values]):
    """What the parts are."""

    by = serializers.ChoiceField(choices=[one.value for one in AllocationBy], required=False, default="asset")


class AllocationPartSerializer(serializers.Serializer[Any]):
    """One part."""

    name = serializers.CharField()
    value = AmountSerializerField()
    share = AmountSerializerField(allow_null=True)


class AllocationSerializer(serializers.Serializer[Any]):
    """Where the value lies; what has no price is named and not in it."""

    currency = serializers.CharField()
    by = serializers.CharField()
    results = AllocationPartSerializer(many=True, source="parts")
    total = AmountSerializerField()
    concentration = AmountSerializerField(allow_null=True)
    largest_five = AmountSerializerField(allow_null=True)
    unpriced = serializers.ListField(child=serializers.CharField())


class PerformanceView(PortfolioDoor):
    """How a portfolio did."""

    @operation(
        summary="Performance",
        description=(
            "Of `[from, to)`, whole days in UTC; without `from` since the first entry. A purchase brings its price and "
            "fee in, a sale takes its proceeds out, coins from and to outside come and go at the day's price; income "
            "and fees in coins are performance. A fraction is null where it is not defined, where it would be of next "
            "to nothing, and under 60 days of `samples`; money is told for every stretch."
        ),
        query=PerformanceQuerySerializer,
        response=PerformanceSerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        wish = self.parse_query(PerformanceQuerySerializer)
        found = actions.read_performance(
            portfolio=portfolio,
            from_=wish.get("from"),
            to=wish.get("to"),
            benchmark=wish["benchmark"],
            now=clock.now(),
        )
        return self.answer(PerformanceSerializer, performance_row(found))


class HistoryView(PortfolioDoor):
    """A portfolio's value day by day."""

    @operation(
        summary="History",
        description=(
            "`results` are `[ts, value, net_deposits]`: the day's start in milliseconds, the value at its end and all "
            "money put in by then less taken out. `incomplete` names, by ts, the assets without a price that day, "
            "which are not in its value; `pending` says that prices are being fetched."
        ),
        query=HistoryQuerySerializer,
        response=HistorySerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        wish = self.parse_query(HistoryQuerySerializer)
        found = actions.read_history(
            portfolio=portfolio,
            from_=wish.get("from"),
            to=wish.get("to"),
            interval=Interval(wish["interval"]),
            now=clock.now(),
        )
        return Response(history_row(found))


class AllocationView(PortfolioDoor):
    """Where a portfolio's value lies."""

    @operation(
        summary="Allocation",
        description="By asset, account or kind of asset; `concentration` is the sum of squared shares.",
        query=AllocationQuerySerializer,
        response=AllocationSerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        wish = self.parse_query(AllocationQuerySerializer)
        return self.answer(AllocationSerializer, queries.allocation(portfolio=portfolio, by=AllocationBy(wish["by"])))


def performance_row(found: PerformanceAnswer) -> Values:
    """Return the answer flat, as the contract has it; before the first entry all money is zero and the rest null."""
    figures = found.figures
    row: Values = {name: getattr(figures, name) if figures else _of_nothing(name) for name in _FIGURES}
    is_short = row["samples"] < LEAST_SAMPLES
    row |= dict.fromkeys(_TOTALS, None) if is_short else {}
    return row | {
        "currency": found.currency,
        "from": found.start,
        "to": found.end,
        "realised": found.realised,
        "unrealised": found.unrealised,
        "income": found.income,
        "fees": found.fees,
        "benchmark": {
            "instrument": found.benchmark_name,
            "twr": None if is_short else found.benchmark.twr,
            "same_flows_value": found.benchmark.same_flows_value,
        },
        "contribution": {"asset": found.by_asset, "account": found.by_account},
        "flows": found.flows,
        "pending": found.pending,
        "simulated": found.simulated,
        "completeness": _in_numbers(found.completeness),
    }


def _in_numbers(completeness: Mapping[str, Any]) -> Values:
    """Return what was kept as text as the serializer takes it."""
    issues = [
        {**issue, "amount": None if issue["amount"] is None else Decimal(issue["amount"])}
        for issue in completeness["issues"]
    ]
    return {"score": Decimal(completeness["score"]), "issues": issues}


def _of_nothing(name: str) -> Decimal | int | None:
    if name == "samples":
        return 0
    return Decimal(0) if name in _MONEY else None


def history_row(found: HistoryAnswer) -> Values:
    """Return the points as plain numbers, for charts."""
    return {
        "currency": found.currency,
        "results": [[point.ts, float(point.value), float(point.net_deposits)] for point in found.points],
        "incomplete": {str(point.ts): list(point.unpriced) for point in found.points if point.unpriced},
        "pending": found.pending,
        "simulated": found.simulated,
    }
