"""Input and output of the ledger's REST doors."""

from typing import Any

from rest_framework import serializers

from apps.core.api.fields import AmountSerializerField
from apps.core.api.strict import StrictSerializer
from apps.core.api.time_fields import RangeSerializer, TimeField
from apps.portfolios.domain.addresses import Whose
from apps.portfolios.domain.completeness import IssueCode
from apps.portfolios.domain.drafts import LONGEST_ACCOUNT, LONGEST_ASSET
from apps.portfolios.domain.importing import AUTO, FORMATS
from apps.portfolios.domain.policy import CoinFee, Fees, Method, Missing, SameCoinFee, Scope
from apps.portfolios.domain.sharing import LAST_YEAR, MOST_DAYS, USUAL_DAYS, ShareContent
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import AccountKind, BatchKind, BatchState, Transaction, ValueState
from apps.portfolios.models.shares import CONTENTS, PURPOSES
from apps.portfolios.queries.import_rules import STATES as RULES_STATES
from apps.portfolios.queries.ledger import portable_row
from apps.portfolios.queries.reconciliation import Cause

Values = dict[str, Any]
_LONGEST_NAME = 80
_LONGEST_CODE = 16
_CODE = r"^[A-Z0-9]{2,16}$"


# --- Portfolios -------------------------------------------------------------------------------------------------------
class PortfolioSerializer(StrictSerializer[Any]):
    """A portfolio."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=_LONGEST_NAME)
    currency = serializers.RegexField(
        _CODE, max_length=_LONGEST_CODE, required=False, help_text="The money of account; fixed once there are entries."
    )
    is_default = serializers.BooleanField(required=False, help_text="Only true can be sent: it makes this the default.")
    version = serializers.IntegerField(read_only=True)
    created_at = TimeField(read_only=True)

    def validate_is_default(self, value: bool) -> bool:  # noqa: FBT001 - the framework calls it
        """Refuse to leave nobody the default."""
        if not value:
            message = "Make another portfolio the default one."
            raise serializers.ValidationError(message, code="default_portfolio_stays")
        return value


class AccountSerializer(StrictSerializer[Any]):
    """An account of a portfolio."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=LONGEST_ACCOUNT)
    kind = serializers.ChoiceField(choices=AccountKind.choices, required=False)
    exchange = serializers.CharField(max_length=32, required=False, allow_blank=True)
    created_at = TimeField(read_only=True)


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


# --- Results ----------------------------------------------------------------------------------------------------------
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


# --- Imports ----------------------------------------------------------------------------------------------------------
class MappingField(serializers.JSONField):
    """Which column is what, as JSON."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return what it says; one that is too deep is refused as every other that is no mapping."""
        try:
            return super().to_internal_value(data)
        except RecursionError:
            self.fail("invalid")


class UploadSerializer(serializers.Serializer[Values]):
    """A file and how to read it."""

    file = serializers.FileField(allow_empty_file=True)
    format = serializers.ChoiceField(choices=[AUTO, *FORMATS], required=False, default=AUTO)
    account = serializers.CharField(max_length=LONGEST_ACCOUNT, required=False, allow_blank=True, default="")
    mapping = MappingField(required=False, allow_null=True, default=None)
    template = serializers.UUIDField(
        required=False,
        allow_null=True,
        default=None,
        help_text="One of your import templates: it fills in what you leave out.",
    )


class CommitSerializer(StrictSerializer[Values]):
    """Whether bad lines may be left out, and whether the rules of the file are taken over."""

    skip_errors = serializers.BooleanField(required=False, default=False)
    with_policy = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Take over the rules of booking of a portable file; only while `rules.state` is `offered`.",
    )


class BadLineSerializer(serializers.Serializer[Any]):
    """A line that cannot be posted."""

    line = serializers.IntegerField(read_only=True)
    code = serializers.CharField(read_only=True)
    message = serializers.CharField(read_only=True)


class ImportSerializer(serializers.Serializer[Any]):
    """A file, what it would change or has changed, and its bad lines."""

    id = serializers.UUIDField(read_only=True)
    state = serializers.ChoiceField(
        choices=[*BatchState.values, "committing", "undoing"], source="standing", read_only=True
    )
    job = serializers.UUIDField(source="open_work.pk", read_only=True, allow_null=True, default=None)
    problem = serializers.CharField(source="newest_work.problem_detail", read_only=True, default="")
    format = serializers.CharField(read_only=True)
    title = serializers.CharField(read_only=True)
    file_name = serializers.CharField(read_only=True)
    account = serializers.CharField(source="account_name", read_only=True)
    batch = serializers.UUIDField(source="batch_id", read_only=True, allow_null=True)
    rows = serializers.IntegerField(read_only=True)
    new = serializers.IntegerField(read_only=True)
    posted = serializers.IntegerField(read_only=True)
    duplicates = serializers.IntegerField(read_only=True)
    error_count = serializers.IntegerField(read_only=True)
    errors = BadLineSerializer(many=True, read_only=True)  # type: ignore[assignment]  # a field of that name
    notes = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    effect = serializers.DictField(child=serializers.CharField(), read_only=True)
    created_at = TimeField(read_only=True)


class FileRulesSerializer(serializers.Serializer[Any]):
    """The rules of booking in a portable file, and whether they can be taken over: an empty ledger can."""

    state = serializers.ChoiceField(choices=RULES_STATES, read_only=True)
    policy = serializers.DictField(read_only=True)
    changes = serializers.ListField(child=serializers.DictField(), read_only=True)
    problem = serializers.CharField(read_only=True, help_text="Why they are `unreadable`.")


class ImportDetailSerializer(ImportSerializer):
    """The same with the frozen years that booking it would change, or undoing it, and the rules in the file."""

    frozen_years = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    rules = FileRulesSerializer(source="offer", read_only=True, allow_null=True)


# --- Transfers --------------------------------------------------------------------------------------------------------
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


# --- Reconciliation ---------------------------------------------------------------------------------------------------
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


# --- Sharing ----------------------------------------------------------------------------------------------------------
class ShareRequestSerializer(StrictSerializer[Values]):
    """A link to be made."""

    purpose = serializers.ChoiceField(choices=PURPOSES, help_text="It opens this and nothing else.")
    year = serializers.IntegerField(
        min_value=1,
        max_value=LAST_YEAR,
        required=False,
        allow_null=True,
        default=None,
        help_text="With `tax_year` only.",
    )
    shows = serializers.ChoiceField(choices=CONTENTS, required=False, default=ShareContent.PERCENTAGES.value)
    name = serializers.CharField(
        max_length=_LONGEST_NAME, required=False, allow_blank=True, default="", help_text="Seen only by you."
    )
    expires_in_days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, required=False, default=USUAL_DAYS)


class ShareSerializer(serializers.Serializer[Any]):
    """A link that was made; its address is not kept."""

    id = serializers.UUIDField(read_only=True)
    purpose = serializers.ChoiceField(choices=PURPOSES, read_only=True)
    year = serializers.IntegerField(read_only=True, allow_null=True)
    shows = serializers.ChoiceField(choices=CONTENTS, read_only=True)
    name = serializers.CharField(read_only=True)
    state = serializers.ChoiceField(choices=["live", "expired", "revoked"], read_only=True)
    created_at = TimeField(read_only=True)
    expires_at = TimeField(read_only=True)
    revoked_at = TimeField(read_only=True, allow_null=True)
    first_opened_at = TimeField(read_only=True, allow_null=True)
    last_opened_at = TimeField(read_only=True, allow_null=True)
    opened = serializers.IntegerField(read_only=True, help_text="How often it was opened, previews of chats included.")


class NewShareSerializer(ShareSerializer):
    """A link that was made just now, with its address."""

    url = serializers.CharField(read_only=True)
