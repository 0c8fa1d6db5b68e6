"""Input and output of the doors to transactions and the batches they came in."""

from typing import Any

from rest_framework import serializers

from apps.core.api.fields import AmountSerializerField
from apps.core.api.strict import StrictSerializer
from apps.core.api.time_fields import RangeSerializer, TimeField
from apps.portfolios.domain.drafts import LONGEST_ACCOUNT, LONGEST_ASSET
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import BatchKind, BatchState, Transaction
from apps.portfolios.queries.ledger import portable_row
from apps.portfolios.serializers.values import Values


# --- Transactions -----------------------------------------------------------------------------------------------------
class TransactionsQuerySerializer(RangeSerializer):
    """Which transactions are wanted."""

    account = serializers.CharField(max_length=LONGEST_ACCOUNT, required=False, default="", help_text="Name or id.")
    asset = serializers.CharField(max_length=LONGEST_ASSET, required=False, default="")
    type = serializers.ChoiceField(choices=[one.value for one in EntryType], required=False, default="")
    batch = serializers.UUIDField(required=False, allow_null=True, default=None)


class TransactionSerializer(StrictSerializer[Any]):
    """One transaction in the portable format; which fields it has depends on its type."""

    id = serializers.CharField(required=False, help_text="Ours in answers; one that you send becomes the external id.")
    ts = TimeField()
    type = serializers.ChoiceField(choices=[one.value for one in EntryType])
    account = serializers.CharField(required=False, max_length=LONGEST_ACCOUNT, default="default")
    asset = serializers.CharField(required=False, max_length=LONGEST_ASSET)
    amount = AmountSerializerField(required=False)
    price = AmountSerializerField(required=False)
    value = AmountSerializerField(required=False)
    fee = AmountSerializerField(required=False)
    fee_asset = serializers.CharField(required=False, max_length=LONGEST_ASSET)
    fee_value = AmountSerializerField(required=False)
    fee_on = serializers.ChoiceField(choices=["in", "out"], required=False)
    out_asset = serializers.CharField(required=False, max_length=LONGEST_ASSET)
    out_amount = AmountSerializerField(required=False)
    in_asset = serializers.CharField(required=False, max_length=LONGEST_ASSET)
    in_amount = AmountSerializerField(required=False)
    kind = serializers.CharField(required=False, max_length=32)
    received = AmountSerializerField(required=False)
    from_account = serializers.CharField(required=False, max_length=LONGEST_ACCOUNT)
    to_account = serializers.CharField(required=False, max_length=LONGEST_ACCOUNT)
    ratio = AmountSerializerField(required=False)
    quote = serializers.CharField(required=False, max_length=LONGEST_ASSET)
    external_id = serializers.CharField(required=False, allow_null=True, max_length=200)
    sequence = serializers.IntegerField(required=False)
    note = serializers.CharField(required=False, max_length=500)
    tx_hash = serializers.CharField(required=False, max_length=120)
    address = serializers.CharField(required=False, max_length=200)
    source = serializers.CharField(read_only=True)  # type: ignore[assignment]  # a field of that name
    batch = serializers.CharField(read_only=True)
    created_at = TimeField(read_only=True)
    reversed_in = serializers.CharField(read_only=True, allow_null=True)

    def to_representation(self, instance: Transaction) -> dict[str, object]:
        """Write the row; what its type does not have is left out."""
        return portable_row(row=instance)


class CorrectedSerializer(TransactionSerializer):
    """The transaction that stands now."""

    changed = serializers.BooleanField(read_only=True, help_text="False where there was nothing to change.")

    def to_representation(self, instance: Transaction) -> dict[str, object]:
        """Write the row, and whether it is another one than before."""
        return {**super().to_representation(instance), "changed": instance.changed}  # type: ignore[attr-defined]


class RefusalSerializer(serializers.Serializer[Any]):
    """An entry that was not posted."""

    index = serializers.IntegerField(read_only=True)
    code = serializers.CharField(read_only=True)
    message = serializers.CharField(read_only=True)
    field = serializers.CharField(read_only=True)


class PostedSerializer(serializers.Serializer[Any]):
    """What became of what was posted; without anything new there is no batch."""

    batch = serializers.UUIDField(source="batch.pk", read_only=True, allow_null=True, default=None)
    posted = serializers.IntegerField(read_only=True)
    duplicates = serializers.IntegerField(read_only=True)
    ids = serializers.ListField(child=serializers.UUIDField(), read_only=True)
    errors = RefusalSerializer(many=True, read_only=True)  # type: ignore[assignment]  # a field of that name
    frozen_years = serializers.ListField(
        child=serializers.IntegerField(), read_only=True, help_text="Frozen years that the entries may reach."
    )
    warnings = RefusalSerializer(many=True, read_only=True, help_text="Posted, and worth a look.")


# --- Batches ----------------------------------------------------------------------------------------------------------
class BatchSerializer(serializers.Serializer[Any]):
    """What came together."""

    id = serializers.UUIDField(read_only=True)
    kind = serializers.ChoiceField(choices=BatchKind.choices, read_only=True)
    state = serializers.ChoiceField(choices=BatchState.choices, read_only=True)
    source = serializers.CharField(read_only=True)  # type: ignore[assignment]  # a field of that name
    reason = serializers.CharField(read_only=True)
    posted = serializers.IntegerField(read_only=True)
    duplicates = serializers.IntegerField(read_only=True)
    refused = serializers.IntegerField(read_only=True)
    by = serializers.CharField(source="by.display_name", read_only=True, allow_null=True, default=None)
    at = TimeField(read_only=True)
    undone_at = TimeField(read_only=True, allow_null=True)


class BatchDetailSerializer(BatchSerializer):
    """A batch with what it changes."""

    effect = serializers.DictField(child=AmountSerializerField(), read_only=True)
    frozen_years = serializers.ListField(
        child=serializers.IntegerField(), read_only=True, help_text="Frozen years that undoing it would change."
    )


class ReasonSerializer(StrictSerializer[Values]):
    """Why."""

    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
