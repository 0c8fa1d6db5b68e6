"""What an entry would change if it were booked: holdings before and after, gain, income."""

from dataclasses import dataclass
from decimal import Decimal

from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.models import Portfolio, Transaction


@dataclass(frozen=True, slots=True)
class EffectLine:
    """How much of one asset a portfolio holds, before and after."""

    asset: str
    before: Decimal
    after: Decimal

    @property
    def delta(self) -> Decimal:
        """Return what is added."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Effect:
    """What an entry would change."""

    lines: tuple[EffectLine, ...]
    gain: Decimal | None
    income: Decimal | None
    cost: Decimal | None
    missing: bool


def effect_of(*, portfolio: Portfolio, draft: EntryDraft, replaced: Transaction | None = None) -> Effect | None:  # noqa: ARG001
    """Return what an entry would change, without booking it."""
    return None
