"""Mending: one entry is added, told anew, or put together with its other side; one of the three, in one step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext as _

from apps.core.errors import FieldProblem, InvalidError
from apps.portfolios.actions.corrections import replace_transaction
from apps.portfolios.actions.matching import match_transfer
from apps.portfolios.actions.posting import post_entries
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.models import Portfolio

if TYPE_CHECKING:
    from apps.accounts.models import User


@dataclass(frozen=True, slots=True)
class Mending:
    """What mends: an entry, in the place of another one if `replaces` names it, or two sides of a transfer."""

    draft: EntryDraft | None = None
    replaces: UUID | None = None
    match: tuple[UUID, tuple[UUID, ...]] | None = None


def mend_gap(*, user: User, portfolio: Portfolio, mending: Mending, source: str, now: datetime) -> None:
    """Book what mends a gap of a portfolio, or raise what is wrong with it."""
    if mending.match is not None:
        out, arrived = mending.match
        match_transfer(portfolio=portfolio, out_id=out, arrived_ids=arrived, by=user, now=now)
    elif mending.draft is not None and mending.replaces is not None:
        reason = _("Told what it was")
        replace_transaction(user=user, transaction_id=mending.replaces, draft=mending.draft, reason=reason, now=now)
    elif mending.draft is not None:
        done = post_entries(portfolio=portfolio, drafts=[mending.draft], source=source, by=user, now=now)
        if done.errors:
            raise InvalidError(problems=[FieldProblem(one.field, one.code, one.message) for one in done.errors])
