"""Whether the rules of booking that a file carries can be taken over with it, and what that would change."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from apps.core import money
from apps.portfolios.domain.booking import book
from apps.portfolios.domain.drafts import EntryDraft, as_entry
from apps.portfolios.domain.policy import Policy, policy_as_portable
from apps.portfolios.domain.timeline import Timeline, changes_as_portable, kept_timeline
from apps.portfolios.domain.transactions import Entry
from apps.portfolios.models import BatchState, FileImport, Portfolio, Transaction
from apps.portfolios.queries.imports import drafts_of
from apps.portfolios.queries.portfolios import timeline_of

#: The rules may be taken over, or why they are not.
OFFERED: Final = "offered"
TAKEN: Final = "taken"
SAME: Final = "same"
NOT_EMPTY: Final = "ledger_not_empty"
NOT_TAKEN: Final = "not_taken"
UNREADABLE: Final = "unreadable"
STATES: Final = (OFFERED, TAKEN, SAME, NOT_EMPTY, NOT_TAKEN, UNREADABLE)
#: Stands in the place of rules that could not be read, with the reason.
PROBLEM: Final = "problem"
#: Of so many transactions the gains by both rules are worked out for a preview.
MOST_BOOKED: Final = 5_000
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class RuleDifference:
    """A setting that the file has otherwise than the portfolio."""

    name: str
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class RulesOffer:
    """The rules of a file, whether they can be taken over, and what they change; the gains only of a small preview."""

    state: str
    timeline: Timeline
    own: Timeline
    differences: tuple[RuleDifference, ...] = ()
    gains: tuple[Decimal, Decimal] | None = None
    problem: str = ""

    @property
    def is_offered(self) -> bool:
        """Tell whether they can be taken over with the import."""
        return self.state == OFFERED

    def as_row(self) -> dict[str, object]:
        """Return it as answers have it."""
        policy, changes = policy_as_portable(self.timeline.first), changes_as_portable(self.timeline)
        return {"state": self.state, "policy": policy, "changes": changes, "problem": self.problem}


def offer_of(*, row: FileImport) -> RulesOffer | None:
    """Return what there is to say of the rules of a file; nothing where it carries none."""
    if row.rules is None:
        return None
    own = timeline_of(portfolio=row.portfolio)
    if PROBLEM in row.rules:
        return RulesOffer(UNREADABLE, own, own, problem=str(row.rules[PROBLEM]))
    timeline = kept_timeline(row.rules)
    state = _state(row, timeline, own)
    return RulesOffer(state, timeline, own, tuple(_differences(own.first, timeline.first)))


def offer_with_gains(*, row: FileImport) -> RulesOffer | None:
    """Return the same with the gains by the present rules and by those of the file, where that is soon done."""
    offer = offer_of(row=row)
    if offer is None or not offer.is_offered or row.new > MOST_BOOKED:
        return offer
    entries = list(_entries(drafts_of(row=FileImport.objects.get(pk=row.pk))))
    now, then = (_gain(entries, rules, row.portfolio) for rules in (offer.own, offer.timeline))
    return replace(offer, gains=(now, then))


def _state(row: FileImport, timeline: Timeline, own: Timeline) -> str:
    if row.former_rules is not None:
        return TAKEN
    if row.state != BatchState.PREVIEW:
        return NOT_TAKEN
    if timeline == own:
        return SAME
    return NOT_EMPTY if Transaction.objects.filter(portfolio=row.portfolio_id).standing().exists() else OFFERED


def _differences(own: Policy, theirs: Policy) -> Iterator[RuleDifference]:
    now, then = policy_as_portable(own), policy_as_portable(theirs)
    for name in dict.fromkeys((*now, *then)):
        if now.get(name) != then.get(name):
            yield RuleDifference(name, _told(now.get(name)), _told(then.get(name)))


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {other}" for name, other in value.items())
    return "" if value is None else str(value)


def _entries(drafts: list[EntryDraft]) -> Iterator[Entry]:
    """Yield the drafts in the order of booking; a value that is not known yet counts as nothing."""
    for place, draft in enumerate(sorted(drafts, key=lambda one: (one.at_us, one.sequence))):
        entry = as_entry(draft)
        untold: dict[str, Decimal] = {}
        if entry.value is None and entry.price is None:
            untold["value"] = _ZERO
        if entry.fee_value is None:
            untold["fee_value"] = _ZERO
        yield replace(entry, id=str(place), **untold)  # type: ignore[arg-type]


def _gain(entries: list[Entry], rules: Timeline, portfolio: Portfolio) -> Decimal:
    return money.from_scaled(book(entries, rules, quote=portfolio.currency).totals.realised)
