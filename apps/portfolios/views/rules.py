"""What the settings page is asked for: which period of the rules is shown, and which timeline a form comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from apps.core.errors import InvalidError
from apps.portfolios.domain.policy import Policy, PolicyError
from apps.portfolios.domain.timeline import PolicyChange, Timeline, with_change, without_change
from apps.portfolios.domain.transactions import microseconds, moment, moment_text
from apps.portfolios.forms import PolicyForm
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.policies import possible_timeline
from apps.portfolios.queries.portfolios import timeline_of
from apps.portfolios.views.chosen import Chosen

FIRST: Final = "first"
NEW: Final = "new"


@dataclass(frozen=True, slots=True)
class Period:
    """Rules that hold from a moment on, from the beginning without one; `name` is what the address calls them."""

    name: str
    from_at: datetime | None
    policy: Policy


@dataclass(frozen=True, slots=True)
class Asked:
    """The periods of a portfolio's rules, the one that is shown, and the form of it."""

    portfolio: Portfolio
    own: Timeline
    periods: tuple[Period, ...]
    shown: Period
    form: PolicyForm
    removes: bool
    saves: bool

    @classmethod
    def of(cls, request: HttpRequest, held: Chosen) -> Asked:
        """Read what is asked for; a period that is not there answers 404."""
        own = timeline_of(portfolio=held.portfolio)
        periods = _periods(own)
        given = request.POST if request.method == "POST" else request.GET
        shown = _shown(periods, given.get("period") or periods[-1].name)
        saves = "save" in {request.POST.get("step"), request.POST.get("remove")}
        removes = "remove" in request.POST and shown.from_at is not None
        form = PolicyForm(
            _as_it_is(shown, held.zone) if removes else request.POST or None,
            policy=shown.policy,
            zone=held.zone,
            from_at=shown.from_at,
            always=shown.name == FIRST,
        )
        return cls(held.portfolio, own, periods, shown, form, removes, saves)

    @property
    def is_new(self) -> bool:
        """Tell whether the shown rules are not there yet."""
        return self.shown.name == NEW

    def timeline(self, *, now: datetime) -> Timeline | None:
        """Return the rules that the form comes to; nothing where they cannot be, and the form says why."""
        try:
            wanted = self._wanted()
            return wanted and possible_timeline(portfolio=self.portfolio, timeline=wanted, now=now)
        except PolicyError as error:
            self.form.refuse(field=error.field, message=_message(error.code, error.message))
        except InvalidError as error:
            for problem in error.problems:
                self.form.refuse(field=problem.field, message=_message(problem.code, problem.message))
        return None

    def _wanted(self) -> Timeline | None:
        at_us = None if self.shown.from_at is None else microseconds(self.shown.from_at)
        policy = self.form.policy()
        if self.removes and at_us is not None:
            return without_change(self.own, at_us=at_us)
        if policy is None:
            return None
        if self.shown.name == FIRST:
            return Timeline(policy, self.own.changes)
        change = PolicyChange(microseconds(self.form.cleaned_data["from_at"]), policy)
        return with_change(self.own, change, instead_of=at_us)


def _periods(own: Timeline) -> tuple[Period, ...]:
    changes = (Period(moment_text(change.at_us), moment(change.at_us), change.policy) for change in own.changes)
    return (Period(FIRST, None, own.first), *changes)


def _shown(periods: tuple[Period, ...], name: str) -> Period:
    if name == NEW:
        return Period(NEW, None, periods[-1].policy)
    found = next((one for one in periods if one.name == name), None)
    if found is None:
        raise Http404
    return found


def _as_it_is(shown: Period, zone: tzinfo) -> dict[str, object]:
    """Return what the form would send if nothing were changed in it."""
    return dict(PolicyForm(policy=shown.policy, zone=zone, from_at=shown.from_at, always=False).initial)


def _message(code: str, message: str) -> str:
    """Say it to a person: the same words in their language where there are any."""
    return {
        "change_twice": _("Other rules begin at this moment already. Change those, or choose another moment."),
        "change_in_the_future": _("Rules can change at a moment that has passed. Choose an earlier one."),
    }.get(code, message)
