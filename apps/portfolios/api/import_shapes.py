"""Input and output of the doors of import templates."""

from typing import Any

from rest_framework import serializers

from apps.core.api.strict import StrictSerializer
from apps.core.api.time_fields import TimeField
from apps.portfolios.domain.drafts import LONGEST_ACCOUNT
from apps.portfolios.domain.importing import AUTO, FORMATS
from apps.portfolios.domain.importing.table import MAX_CELL, MAX_COLUMNS
from apps.portfolios.models.import_templates import LONGEST_NAME
from apps.portfolios.serializers import MappingField, Values


class PieceSerializer(serializers.Serializer[Values]):
    """A file, or its beginning."""

    file = serializers.FileField(allow_empty_file=True)


class ImportTemplateSerializer(StrictSerializer[Any]):
    """How a kind of file is read."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=LONGEST_NAME)
    format = serializers.ChoiceField(choices=[AUTO, *FORMATS], required=False, default=AUTO)
    account = serializers.CharField(
        max_length=LONGEST_ACCOUNT, required=False, allow_blank=True, default="", source="account_name"
    )
    mapping = MappingField(required=False, default=dict, help_text="As of an import: columns, kinds, styles.")
    head = serializers.ListField(
        child=serializers.CharField(max_length=MAX_CELL, allow_blank=True),
        max_length=MAX_COLUMNS,
        required=False,
        default=list,
        help_text="The head line by which such a file is known.",
    )
    created_at = TimeField(read_only=True)
    used_at = TimeField(read_only=True, allow_null=True)


class NewTemplateSerializer(ImportTemplateSerializer):
    """The same to be kept; `import` takes everything but the name from an import of yours."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `import`, which Python keeps for itself."""
        source = serializers.UUIDField(required=False, allow_null=True, default=None, write_only=True)
        return {**super().get_fields(), "import": source}
