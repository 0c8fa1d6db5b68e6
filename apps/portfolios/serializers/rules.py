"""Input and output of the doors to the rules of booking, and to balances that are compared."""

from typing import Any

from rest_framework import serializers

from apps.core.api.fields import AmountSerializerField
from apps.core.api.strict import StrictSerializer
from apps.portfolios.queries.reconciliation import Cause


class BalanceSerializer(serializers.Serializer[Any]):
    """One asset in one account, by the ledger and by its venue."""

    account = serializers.CharField(read_only=True)
    exchange = serializers.CharField(read_only=True)
    asset = serializers.CharField(read_only=True)
    ledger = AmountSerializerField(read_only=True)
    venue = AmountSerializerField(read_only=True)
    difference = AmountSerializerField(read_only=True)
    age_s = serializers.IntegerField(read_only=True)
    cause = serializers.ChoiceField(choices=[one.value for one in Cause], read_only=True)
    repair = serializers.CharField(read_only=True)


class PolicySerializer(StrictSerializer[Any]):
    """The rules that a portfolio is booked by."""

    policy = serializers.DictField(help_text="The names of section 6; what is left out takes its default.")
    changes = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="`{from, policy}`: other rules from a moment on, with the lots left then. None: one policy always.",
    )


class BeforeAfterSerializer(serializers.Serializer[Any]):
    """A figure as it is and as it would be."""

    before = AmountSerializerField(read_only=True)
    after = AmountSerializerField(read_only=True)


class YearConsequenceSerializer(BeforeAfterSerializer):
    """The gains of a year; a frozen one keeps what was frozen."""

    year = serializers.IntegerField(read_only=True)
    frozen = AmountSerializerField(read_only=True, allow_null=True)


class ConsequencesSerializer(serializers.Serializer[Any]):
    """What other rules would change; nothing is kept."""

    changes = serializers.BooleanField(read_only=True)
    years = YearConsequenceSerializer(many=True, read_only=True)
    realised = BeforeAfterSerializer(read_only=True)
    cost_left = BeforeAfterSerializer(read_only=True)
    missing_before = serializers.IntegerField(read_only=True)
    missing_after = serializers.IntegerField(read_only=True)
