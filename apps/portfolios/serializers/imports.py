"""Input and output of the doors to imports."""

from typing import Any

from rest_framework import serializers

from apps.core.api.strict import StrictSerializer
from apps.core.api.time_fields import TimeField
from apps.portfolios.domain.drafts import LONGEST_ACCOUNT
from apps.portfolios.domain.importing import AUTO, FORMATS
from apps.portfolios.models import BatchState
from apps.portfolios.queries.import_rules import STATES as RULES_STATES
from apps.portfolios.serializers.values import Values


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
