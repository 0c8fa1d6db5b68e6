"""The rules of booking in a portable file: offered to an empty ledger, taken over with its import, given back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from apps.core.errors import ConflictError
from apps.portfolios.actions.policies import choose_timeline
from apps.portfolios.domain.importing import FileRules
from apps.portfolios.domain.timeline import kept_timeline, timeline_as_kept
from apps.portfolios.models import Batch, FileImport
from apps.portfolios.queries.import_rules import OFFERED, PROBLEM, offer_of
from apps.portfolios.queries.portfolios import timeline_of

if TYPE_CHECKING:
    from apps.accounts.models import User


class PolicyNotOfferedError(ConflictError):
    """The rules of the file cannot be taken over."""

    code = "policy_not_offered"
    title = "The rules of this file are not offered"
    default_detail = "Commit the import without with_policy, and choose the rules of the portfolio yourself."


def rules_as_kept(*, rules: FileRules) -> dict[str, object] | None:
    """Return the rules of a file as they stand beside its import; nothing where it carries none."""
    if rules.problem:
        return {PROBLEM: rules.problem}
    return None if rules.timeline is None else timeline_as_kept(rules.timeline)


def check_offered(*, row: FileImport) -> None:
    """Raise `PolicyNotOfferedError` unless the rules of a file can be taken over now."""
    found = offer_of(row=row)
    if found is None or found.state != OFFERED:
        raise PolicyNotOfferedError


def take_rules(*, row: FileImport, user: User, now: datetime) -> None:
    """Book the portfolio by the rules of the file; what they took the place of is kept beside the import."""
    row.former_rules = timeline_as_kept(timeline_of(portfolio=row.portfolio))
    timeline = kept_timeline(row.rules or {})
    choose_timeline(user=user, portfolio_id=row.portfolio_id, timeline=timeline, now=now)


def give_rules_back(*, batch: Batch, user: User, now: datetime) -> None:
    """Put the rules in their place again that an import took the place of, unless others were chosen since."""
    rows = FileImport.objects.filter(batch=batch, former_rules__isnull=False).select_related("portfolio")
    for row in rows.defer("drafts"):
        if timeline_of(portfolio=row.portfolio) == kept_timeline(row.rules or {}):
            former = kept_timeline(row.former_rules or {})
            choose_timeline(user=user, portfolio_id=row.portfolio_id, timeline=former, now=now)
    rows.update(former_rules=None)
