"""Input and output of the doors to transfers and the addresses they went to."""

from typing import Any

from rest_framework import serializers

from apps.core.api.fields import AmountSerializerField
from apps.core.api.strict import StrictSerializer
from apps.core.api.time_fields import TimeField
from apps.portfolios.domain.addresses import Whose
from apps.portfolios.domain.drafts import LONGEST_ACCOUNT
from apps.portfolios.serializers.values import Values


class TransfersQuerySerializer(serializers.Serializer[Values]):
    """Which transfers are wanted."""

    state = serializers.ChoiceField(choices=["matched", "unmatched"], required=False, default="unmatched")


class MatchSerializer(StrictSerializer[Values]):
    """What left, and what it arrived as."""

    out = serializers.UUIDField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `in`, which Python keeps for itself."""
        arrived = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=20)
        return {**super().get_fields(), "in": arrived}


class UnmatchSerializer(StrictSerializer[Values]):
    """What left."""

    out = serializers.UUIDField()


class AnswerSerializer(serializers.Serializer[Any]):
    """What an address is."""

    id = serializers.CharField(read_only=True)
    address = serializers.CharField(max_length=200)
    answer = serializers.ChoiceField(choices=[one.value for one in Whose])
    account = serializers.CharField(
        max_length=LONGEST_ACCOUNT, required=False, allow_null=True, default=None, help_text="Yours, with `mine`."
    )
    created_at = TimeField(read_only=True)


class ForeseenAnswerSerializer(serializers.Serializer[Any]):
    """What an answer would do."""

    applies_to = serializers.IntegerField(read_only=True)
    effect = serializers.DictField(child=AmountSerializerField(), read_only=True)
    left_to_you = serializers.IntegerField(read_only=True, help_text="Those that look like a pair, or do not fit.")
    gain = AmountSerializerField(source="change.gain", read_only=True, help_text="Change of the realized gain.")
    income = AmountSerializerField(source="change.income", read_only=True)
    unpriced = serializers.IntegerField(read_only=True, help_text="Those whose value is not known yet: nothing so far.")
    frozen_years = serializers.ListField(child=serializers.IntegerField(), source="change.frozen", read_only=True)


class AskedAddressSerializer(serializers.Serializer[Any]):
    """An address that transfers wait at."""

    address = serializers.CharField(read_only=True)
    out = serializers.IntegerField(read_only=True)
    applies_to = serializers.IntegerField(read_only=True)
    sent = serializers.DictField(child=AmountSerializerField(), read_only=True)
    received = serializers.DictField(child=AmountSerializerField(), read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `in`, which Python keeps for itself."""
        return {**super().get_fields(), "in": serializers.IntegerField(read_only=True)}


class LegSerializer(serializers.Serializer[Any]):
    """One side of a transfer."""

    id = serializers.CharField(read_only=True)
    direction = serializers.ChoiceField(choices=["in", "out"], read_only=True)
    ts = TimeField(read_only=True)
    asset = serializers.CharField(read_only=True)
    amount = AmountSerializerField(read_only=True)
    account = serializers.CharField(read_only=True)
    tx_hash = serializers.CharField(read_only=True)
    address = serializers.CharField(read_only=True)
    external_id = serializers.CharField(read_only=True, allow_null=True)


class TransferSerializer(LegSerializer):
    """A transfer: one that waits has `direction` and `candidates`, a matched one has `out`, `in` and reasons."""

    candidates = serializers.ListField(child=serializers.DictField(), read_only=True)
    out = LegSerializer(read_only=True)
    score = serializers.IntegerField(read_only=True)
    reasons = serializers.ListField(child=serializers.CharField(), read_only=True)
    automatic = serializers.BooleanField(read_only=True)
    at = TimeField(read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `in`, which Python keeps for itself."""
        return {**super().get_fields(), "in": LegSerializer(many=True, read_only=True)}

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """Hand on what the query has written."""
        return instance
