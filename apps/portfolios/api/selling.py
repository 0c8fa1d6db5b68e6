"""REST: what selling something now would come to, by every method; nothing is posted."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from apps.core import clock
from apps.core.api.fields import AmountSerializerField
from apps.core.api.time_fields import TimeField
from apps.core.api.times import iso_z
from apps.core.api.views import operation
from apps.core.money import plain
from apps.portfolios.actions.selling import read_sale
from apps.portfolios.api.portfolios import PortfolioDoor
from apps.portfolios.domain.booking import Term, text
from apps.portfolios.domain.drafts import LONGEST_ACCOUNT, LONGEST_ASSET
from apps.portfolios.domain.policy import Method
from apps.portfolios.domain.selling import SaleNote, SaleOutcome, UsedLot
from apps.portfolios.domain.transactions import moment_text
from apps.portfolios.queries.sale_pages import SaleAnswer

Values = dict[str, Any]


class SaleQuerySerializer(serializers.Serializer[Values]):
    """What would be sold, for how much."""

    asset = serializers.CharField(max_length=LONGEST_ASSET)
    amount = AmountSerializerField()
    price = AmountSerializerField(required=False, help_text="Of one; the present one when it is left out.")
    fee = AmountSerializerField(required=False, help_text="In the money of account.")
    account = serializers.CharField(
        max_length=LONGEST_ACCOUNT,
        required=False,
        default="",
        help_text="Where each account has lots of its own; the one that holds most when it is left out.",
    )


class UsedLotSerializer(serializers.Serializer[Any]):
    """A lot, or the part of one, that would be used."""

    lot = serializers.CharField()
    amount = AmountSerializerField()
    cost_basis = AmountSerializerField()
    acquired_at = TimeField()
    term = serializers.ChoiceField(choices=[Term.SHORT.value, Term.LONG.value])
    days_until_long = serializers.IntegerField()


class SaleOutcomeSerializer(serializers.Serializer[Any]):
    """What one method makes of it; without terms where an average has no dates."""

    method = serializers.ChoiceField(choices=[one.value for one in Method])
    is_own = serializers.BooleanField()
    proceeds = AmountSerializerField()
    cost_basis = AmountSerializerField()
    gain = AmountSerializerField()
    short = AmountSerializerField(allow_null=True)
    long = AmountSerializerField(allow_null=True)
    days_until_long = serializers.IntegerField(allow_null=True)
    lots = UsedLotSerializer(many=True)
    notes = serializers.ListField(child=serializers.ChoiceField(choices=[one.value for one in SaleNote]))


class SaleSerializer(serializers.Serializer[Any]):
    """A sale that is not made, by every method of the present scope: one's own first, the others by their gain."""

    asset = serializers.CharField()
    account = serializers.CharField(allow_null=True)
    scope = serializers.CharField()
    amount = AmountSerializerField()
    held = AmountSerializerField()
    currency = serializers.CharField()
    price = AmountSerializerField()
    price_source = serializers.CharField(allow_blank=True)
    price_ts = TimeField(allow_null=True)
    fee = AmountSerializerField()
    proceeds = AmountSerializerField()
    results = SaleOutcomeSerializer(many=True)


class SaleView(PortfolioDoor):
    """What selling would come to."""

    @operation(
        summary="Simulate a sale",
        description=(
            "Gain, short and long, by every method of the present scope, with the lots that each would use and the "
            "days until they are long. Every method starts from the lots that are open now; out of a pool, those that "
            "need lots start from what they would have left (`from_the_start`). Nothing is posted."
        ),
        query=SaleQuerySerializer,
        response=SaleSerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> HttpResponse:
        portfolio = self.portfolio(portfolio_id)
        found = read_sale(portfolio=portfolio, **self.parse_query(SaleQuerySerializer), now=clock.now())
        return self.ready(sale_row(found, currency=portfolio.currency))


def sale_row(found: SaleAnswer, *, currency: str) -> Values:
    """Return the answer as REST has it."""
    return {
        "asset": found.asset,
        "account": found.account,
        "scope": found.policy.scope.value,
        "amount": plain(found.amount),
        "held": plain(found.held),
        "currency": currency,
        "price": plain(found.price),
        "price_source": found.price_source,
        "price_ts": None if found.price_at is None else iso_z(found.price_at),
        "fee": plain(found.fee),
        "proceeds": plain(found.proceeds),
        "results": [_outcome_row(one) for one in found.outcomes],
    }


def _outcome_row(one: SaleOutcome) -> Values:
    return {
        "method": one.method.value,
        "is_own": one.is_own,
        "proceeds": text(one.proceeds),
        "cost_basis": text(one.cost),
        "gain": text(one.gain),
        "short": None if one.short is None else text(one.short),
        "long": None if one.long is None else text(one.long),
        "days_until_long": one.days_left,
        "lots": [_lot_row(lot) for lot in one.lots],
        "notes": [note.value for note in one.notes],
    }


def _lot_row(lot: UsedLot) -> Values:
    return {
        "lot": lot.lot,
        "amount": text(lot.amount),
        "cost_basis": text(lot.cost),
        "acquired_at": moment_text(lot.at_us),
        "term": lot.term.value,
        "days_until_long": lot.days_left,
    }
