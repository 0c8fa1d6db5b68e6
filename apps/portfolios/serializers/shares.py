"""Input and output of the doors to share links."""

from typing import Any

from rest_framework import serializers

from apps.core.api.strict import StrictSerializer
from apps.core.api.time_fields import TimeField
from apps.portfolios.domain.sharing import LAST_YEAR, MOST_DAYS, USUAL_DAYS, ShareContent
from apps.portfolios.models.shares import CONTENTS, PURPOSES
from apps.portfolios.serializers.values import Values

_LONGEST_NAME = 80


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
