"""Input and output of the doors to what was booked: holdings, lots, gains, completeness."""

from typing import Any

from rest_framework import serializers

from apps.core.api.fields import AmountSerializerField
from apps.core.api.time_fields import TimeField
from apps.portfolios.domain.completeness import IssueCode
from apps.portfolios.domain.policy import CoinFee, Fees, Method, Missing, SameCoinFee, Scope
from apps.portfolios.models import ValueState
from apps.portfolios.serializers.values import Values


class HoldingsQuerySerializer(serializers.Serializer[Values]):
    """When."""

    as_of = TimeField(required=False, help_text="A moment of the past; now when it is left out.")


class IssueSerializer(serializers.Serializer[Any]):
    """Something that is missing, and where it is mended."""

    code = serializers.ChoiceField(choices=[one.value for one in IssueCode], read_only=True)
    count = serializers.IntegerField(read_only=True)
    amount = AmountSerializerField(read_only=True, allow_null=True)
    link = serializers.CharField(read_only=True)


class CompletenessSerializer(serializers.Serializer[Any]):
    """How complete the figures are."""

    score = AmountSerializerField(read_only=True, help_text="The share of entries and holdings with nothing missing.")
    issues = IssueSerializer(many=True, read_only=True)


class HoldingSerializer(serializers.Serializer[Any]):
    """What is held of one asset."""

    asset = serializers.CharField(read_only=True)
    amount = AmountSerializerField(read_only=True)
    price = AmountSerializerField(read_only=True, allow_null=True)
    price_state = serializers.ChoiceField(choices=ValueState.choices, read_only=True)
    price_source = serializers.CharField(read_only=True)
    price_ts = TimeField(read_only=True, allow_null=True)
    value = AmountSerializerField(read_only=True, allow_null=True)
    cost_basis = AmountSerializerField(read_only=True)
    unrealised = AmountSerializerField(read_only=True, allow_null=True)
    accounts = serializers.DictField(child=AmountSerializerField(), read_only=True)


class HoldingsSerializer(serializers.Serializer[Any]):
    """What a portfolio holds; described here, written by the ledger itself."""

    as_of = TimeField(read_only=True)
    currency = serializers.CharField(read_only=True)
    results = HoldingSerializer(many=True, read_only=True)
    total = AmountSerializerField(read_only=True)
    simulated = serializers.BooleanField(read_only=True)
    stale = serializers.BooleanField(read_only=True, help_text="There when newer entries are not booked yet.")
    completeness = CompletenessSerializer(read_only=True)


class PolicyQuerySerializer(serializers.Serializer[Values]):
    """Rules to book by; the portfolio's own where they are left out."""

    method = serializers.ChoiceField(choices=[one.value for one in Method], required=False)
    scope = serializers.ChoiceField(choices=[one.value for one in Scope], required=False)
    fees = serializers.ChoiceField(choices=[one.value for one in Fees], required=False)
    crypto_fee = serializers.ChoiceField(choices=[one.value for one in CoinFee], required=False)
    same_coin_fee = serializers.ChoiceField(choices=[one.value for one in SameCoinFee], required=False)
    transfer_fee = serializers.ChoiceField(choices=[one.value for one in CoinFee], required=False)
    missing = serializers.ChoiceField(choices=[one.value for one in Missing], required=False)
    long_days = serializers.IntegerField(min_value=0, max_value=36_500, required=False)
    hifo_excl_fee = serializers.BooleanField(required=False, allow_null=True, default=None)
    superficial_window_days = serializers.IntegerField(min_value=0, max_value=36_500, required=False)


class GainsQuerySerializer(PolicyQuerySerializer):
    """Which year, and by which rules."""

    year = serializers.IntegerField(min_value=1970, max_value=9999, required=False, allow_null=True, default=None)


class ResultSerializer(serializers.Serializer[Any]):
    """The result of booking, as the portable format has it; described here, written by the engine."""

    disposals = serializers.ListField(child=serializers.DictField(), read_only=True)
    income = serializers.ListField(child=serializers.DictField(), read_only=True)
    remaining_lots = serializers.ListField(child=serializers.DictField(), read_only=True)
    holdings = serializers.DictField(read_only=True)
    remaining_cost = serializers.DictField(child=AmountSerializerField(), read_only=True)
    average_cost = serializers.DictField(child=AmountSerializerField(), read_only=True)
    pools = serializers.DictField(read_only=True)
    realised_total = AmountSerializerField(read_only=True)
    realised_short = AmountSerializerField(read_only=True)
    realised_long = AmountSerializerField(read_only=True)
    income_total = AmountSerializerField(read_only=True)
    fees_total = AmountSerializerField(read_only=True)
    missing = serializers.ListField(child=serializers.DictField(), read_only=True)
    errors = serializers.ListField(child=serializers.DictField(), read_only=True)  # type: ignore[assignment]
    currency = serializers.CharField(read_only=True)
    policy = serializers.DictField(read_only=True)
    policy_changes = serializers.ListField(child=serializers.DictField(), read_only=True)
    input_hash = serializers.CharField(read_only=True)
    booked_at = TimeField(read_only=True)
    stale = serializers.BooleanField(read_only=True)
    frozen = serializers.DictField(
        read_only=True, allow_null=True, help_text="Of a frozen year: when, by whom, and what the ledger has otherwise."
    )
    completeness = CompletenessSerializer(read_only=True)


class ExportQuerySerializer(serializers.Serializer[Values]):
    """Which format."""

    format = serializers.ChoiceField(choices=["json", "csv", "beancount"], required=False, default="json")
