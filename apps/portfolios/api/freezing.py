"""REST: frozen tax years, and how today's figures differ from them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions.callers import request_meta
from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.fields import AmountSerializerField
from apps.core.api.time_fields import TimeField
from apps.core.api.views import operation
from apps.portfolios.actions.freezing import accept_year, freeze_year, read_frozen, unlock_year
from apps.portfolios.api.portfolios import PortfolioDoor
from apps.portfolios.domain.frozen import ROWS, Change
from apps.portfolios.models import FrozenEnd
from apps.portfolios.models.frozen import LONGEST_REASON
from apps.portfolios.queries.freezing import frozen_row, frozen_trail

Values = dict[str, Any]
FIRST_YEAR = 1970
LAST_YEAR = 9998


# --- What is sent ----------------------------------------------------------------------------------------------------
class FreezeSerializer(serializers.Serializer[Values]):
    """Which year, and whether what is missing of it is accepted."""

    year = serializers.IntegerField(min_value=FIRST_YEAR, max_value=LAST_YEAR)
    accept_issues = serializers.BooleanField(required=False, default=False)
    note = serializers.CharField(max_length=LONGEST_REASON, required=False, allow_blank=True, default="")


class AcceptSerializer(serializers.Serializer[Values]):
    """Why, and whether what is missing of the year is accepted."""

    accept_issues = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(max_length=LONGEST_REASON, required=False, allow_blank=True, default="")


class UnlockSerializer(serializers.Serializer[Values]):
    """Why."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


# --- What is answered ------------------------------------------------------------------------------------------------
class AcceptedIssueSerializer(serializers.Serializer[Any]):
    """Something that was missing of the year, and accepted."""

    code = serializers.CharField()
    count = serializers.IntegerField()


class ThenAndNowSerializer(serializers.Serializer[Any]):
    """A sum as it was frozen, and as the ledger has it today."""

    frozen = AmountSerializerField()
    today = AmountSerializerField()


class RowDifferenceSerializer(serializers.Serializer[Any]):
    """A disposal or an income that came, went or changed: its gain or value, as frozen and today."""

    part = serializers.ChoiceField(choices=list(ROWS))
    change = serializers.ChoiceField(choices=[one.value for one in Change])
    tx = serializers.CharField()
    kind = serializers.CharField()
    asset = serializers.CharField()
    ts = TimeField()
    frozen = AmountSerializerField(allow_null=True)
    today = AmountSerializerField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `fields`, a name that serializers keep for themselves."""
        return {**super().get_fields(), "fields": serializers.ListField(child=serializers.CharField())}


class DifferenceSerializer(serializers.Serializer[Any]):
    """What tells a frozen year from the same year today; `moved` is the change of gain and income together."""

    totals = serializers.DictField(child=ThenAndNowSerializer())
    moved = AmountSerializerField()
    came = serializers.IntegerField()
    went = serializers.IntegerField()
    changed = serializers.IntegerField()
    rows = RowDifferenceSerializer(many=True)


class FrozenYearSerializer(serializers.Serializer[Any]):
    """A year that is or was frozen, without its rows: `gains` has them."""

    year = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["frozen", *FrozenEnd.values])
    frozen_at = TimeField()
    by = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    input_hash = serializers.CharField()
    result_hash = serializers.CharField()
    policy = serializers.DictField()
    totals = serializers.DictField(child=AmountSerializerField())
    accepted_issues = AcceptedIssueSerializer(many=True)
    ended_at = TimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class ComparedYearSerializer(FrozenYearSerializer):
    """A frozen year and how the ledger today would have it."""

    differs = serializers.BooleanField()
    difference = DifferenceSerializer(allow_null=True)


class FrozenDetailSerializer(ComparedYearSerializer):
    """The same with its trail; `input_changed` where entries or rules differ, even if no figure does."""

    input_changed = serializers.BooleanField()
    trail = FrozenYearSerializer(many=True)


class FrozenYearsView(PortfolioDoor):
    """The frozen years of a portfolio."""

    @operation(
        summary="Frozen tax years",
        description="All that was ever frozen, the newest first: years that hold, were frozen anew, or unlocked.",
        response=FrozenYearSerializer(many=True),
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        rows = frozen_trail(portfolio=self.portfolio(portfolio_id))
        return Response({"results": [frozen_row(row=row) for row in rows], "next": None})

    @operation(
        summary="Freeze a tax year",
        description=(
            "Its figures stay as they are from now on; what would change them becomes a difference. A year with open "
            "issues is refused with `year_has_open_issues`, which names them, unless `accept_issues` is true."
        ),
        request=FreezeSerializer,
        response=FrozenYearSerializer,
        status=201,
        tags=["portfolios"],
    )
    def post(self, request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        values = self.parse(FreezeSerializer)
        made = freeze_year(
            user=person_of(request),
            portfolio_id=portfolio.pk,
            **values,
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return Response(frozen_row(row=made), status=201)


class FrozenYearView(PortfolioDoor):
    """One frozen year."""

    @operation(
        summary="A frozen tax year",
        description="What the ledger today would have otherwise, row by row, and all that was frozen of it before.",
        response=FrozenDetailSerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID, year: int) -> HttpResponse:
        portfolio = self.portfolio(portfolio_id)
        return self.ready(read_frozen(portfolio=portfolio, year=year, now=clock.now()))


class AcceptYearView(PortfolioDoor):
    """Taking today's figures into a frozen year."""

    @operation(
        summary="Freeze a tax year anew",
        description="With today's figures; the former ones stay in the trail. Where nothing differs, nothing is done.",
        request=AcceptSerializer,
        response=FrozenYearSerializer,
        tags=["portfolios"],
    )
    def post(self, request: Request, portfolio_id: UUID, year: int) -> Response:
        portfolio = self.portfolio(portfolio_id)
        values = self.parse(AcceptSerializer)
        made = accept_year(
            user=person_of(request),
            portfolio_id=portfolio.pk,
            year=year,
            **values,
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return Response(frozen_row(row=made))


class UnlockYearView(PortfolioDoor):
    """Letting a year follow the ledger again."""

    @operation(
        summary="Unlock a tax year",
        description="It follows the ledger again; what was frozen, and why it no longer is, stays in the trail.",
        request=UnlockSerializer,
        response=FrozenYearSerializer,
        tags=["portfolios"],
    )
    def post(self, request: Request, portfolio_id: UUID, year: int) -> Response:
        portfolio = self.portfolio(portfolio_id)
        reason = self.parse(UnlockSerializer)["reason"]
        done = unlock_year(
            user=person_of(request),
            portfolio_id=portfolio.pk,
            year=year,
            reason=reason,
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return Response(frozen_row(row=done))
