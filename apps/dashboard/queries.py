"""What the overview shows: how far this account is secured, and whether live data flows."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from apps.accounts.models import User
from apps.core.cache import redis_is_up


@dataclass(frozen=True, slots=True)
class Overview:
    """How far a person has secured their account, and how the instance is."""

    email_verified: bool
    has_app_codes: bool
    has_passkey: bool
    has_recovery_codes: bool
    live_data: bool

    @property
    def steps_done(self) -> int:
        """Count the done steps; the account itself is the first."""
        return 1 + sum((self.email_verified, self.has_app_codes or self.has_passkey, self.has_recovery_codes))

    @property
    def steps_all(self) -> int:
        """Count all steps."""
        return 4

    @property
    def share_done(self) -> float:
        """Return how much is done, for the bar."""
        return self.steps_done / self.steps_all


def overview_for(*, user: User) -> Overview:
    """Answer what the overview of one person shows."""
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    verified = EmailAddress.objects.filter(user=user, verified=True).exists()
    return Overview(
        email_verified=verified,
        has_app_codes=Authenticator.Type.TOTP in kinds,
        has_passkey=Authenticator.Type.WEBAUTHN in kinds,
        has_recovery_codes=Authenticator.Type.RECOVERY_CODES in kinds,
        live_data=redis_is_up(),
    )
