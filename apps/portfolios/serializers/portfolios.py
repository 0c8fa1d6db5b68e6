"""Input and output of the doors to portfolios and accounts."""

from typing import Any

from rest_framework import serializers

from apps.core.api.strict import StrictSerializer
from apps.core.api.time_fields import TimeField
from apps.portfolios.domain.drafts import LONGEST_ACCOUNT
from apps.portfolios.models import AccountKind

_LONGEST_NAME = 80
_LONGEST_CODE = 16
_CODE = r"^[A-Z0-9]{2,16}$"


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
