"""A key is tried step by step, the gravest fault first; nothing is kept here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import clock
from apps.core.errors import FieldProblem, InvalidError, ProductError
from apps.core.locks import lock
from apps.core.vault import Secret
from apps.exchanges.actions.secrets import key_fingerprint
from apps.exchanges.domain.guarding import UNKNOWN_RIGHTS, Step, StepCode, can_move_coins, is_unverified
from apps.exchanges.domain.reading import KeyRights
from apps.exchanges.gateways import Session, VenueAdapter, venue
from apps.exchanges.gateways.errors import (
    ClockOffError,
    CredentialsRejectedError,
    KeyCanWithdrawError,
    PermissionMissingError,
    VenueRefusedError,
)
from apps.exchanges.queries.worlds import is_simulated

#: A key that is being read is waited for so long; no venue is asked longer for one test.
_WAIT_SECONDS: Final = 15.0
_HELD_SECONDS: Final = 60.0
_LONGEST_FIELD: Final = 8_000
_CLOCK_APART_MS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """How a key did: its steps, what it may do, and what stands in its way."""

    steps: tuple[Step, ...]
    rights: KeyRights = UNKNOWN_RIGHTS
    venue_account: str = ""
    certified: bool = True
    is_simulated: bool = False
    problem: ProductError | None = None

    @property
    def ok(self) -> bool:
        """Whether the key may be kept."""
        return self.problem is None


@dataclass(slots=True)
class _Trial:
    """A test on its way."""

    steps: list[Step] = field(default_factory=list)
    at: StepCode = StepCode.REACH
    rights: KeyRights = UNKNOWN_RIGHTS
    venue_account: str = ""

    def done(self, detail: str) -> None:
        """Note that the present step went well."""
        self.steps.append(Step(code=self.at, ok=True, detail=detail))

    def failed(self, problem: ProductError) -> None:
        """Note that the present step did not."""
        self.steps.append(Step(code=self.at, ok=False, detail=problem.detail))


def adapter_of(*, exchange: str) -> VenueAdapter:
    """Return the adapter of an exchange, or say that there is none."""
    try:
        return venue(exchange)
    except LookupError:
        message = _("Nobody here can read this exchange. Choose one of the list.")
        raise InvalidError(problems=[FieldProblem("exchange", "unknown_exchange", message)]) from None


def clean_secrets(*, adapter: VenueAdapter, fields: Mapping[str, str | None]) -> dict[str, Secret]:
    """Return the parts of a key as the exchange wants them, or say which one is missing or cut."""
    given = {name: text or "" for name, text in fields.items()}
    for name, text in given.items():
        if len(text) > _LONGEST_FIELD:
            raise InvalidError(problems=[FieldProblem(name, "max_length", _("This is too long for a key."))])
    cleaned = adapter.clean(fields=given)
    problems = [problem for name, text in cleaned.items() if (problem := _field_problem(name, text))]
    if problems:
        raise InvalidError(problems=problems)
    return {name: Secret(text) for name, text in cleaned.items()}


def _field_problem(name: str, text: str) -> FieldProblem | None:
    if not text:
        return FieldProblem(name, "required", _("Paste this part of the key too."))
    if not text.replace("\n", "").isprintable() or not text.isascii():
        return FieldProblem(name, "invalid", _("This holds characters that no key has. Copy it once more."))
    return None


def test_secrets(*, adapter: VenueAdapter, secrets: Mapping[str, Secret], now: datetime) -> Tested:
    """Try a key at its exchange: reach it, compare clocks, be let in, look at its rights, read balances."""
    trial, problem = _Trial(), None
    name = f"exchanges:key:{adapter.exchange}:{_print(adapter, secrets)}"
    try:
        with (
            lock(name, seconds=_HELD_SECONDS, wait=_WAIT_SECONDS),
            adapter.lend(secrets=secrets, now=now) as session,
        ):
            _try(trial, session)
    except ProductError as error:
        problem = error
        trial.failed(error)
    return Tested(
        steps=tuple(trial.steps),
        rights=trial.rights,
        venue_account=trial.venue_account,
        certified=adapter.certified,
        is_simulated=is_simulated(exchange=adapter.exchange),
        problem=problem,
    )


def _print(adapter: VenueAdapter, secrets: Mapping[str, Secret]) -> str:
    return key_fingerprint(exchange=adapter.exchange, api_key=secrets["api_key"])


def _try(trial: _Trial, session: Session) -> None:
    apart_ms = session.server_time() - int(clock.now().timestamp() * 1000)
    trial.done(_("The exchange answers."))
    trial.at = StepCode.TIME
    trial.done(_clock_words(apart_ms))
    trial.at = StepCode.CREDENTIALS
    _look_at_rights(trial, session)
    trial.at = StepCode.BALANCES
    held = len({one.asset for one in session.balances()})
    trial.done(ngettext("Balances can be read: %d coin.", "Balances can be read: %d coins.", held) % held)
    trial.venue_account = session.account()[:80]


def _look_at_rights(trial: _Trial, session: Session) -> None:
    try:
        trial.rights = session.rights()
    except (ClockOffError, CredentialsRejectedError):
        raise
    except (PermissionMissingError, VenueRefusedError):
        trial.done(_("The key is accepted."))  # the exchange knows the key, and does not tell what it may do
    else:
        trial.done(_("The key is accepted."))
    trial.at = StepCode.RIGHTS
    refuse_harmful(rights=trial.rights)
    trial.done(_rights_words(trial.rights))


def refuse_harmful(*, rights: KeyRights) -> None:
    """Refuse a key that can take coins away, unless the operator allows such keys, or one that cannot read."""
    if can_move_coins(rights) and not settings.ALLOW_KEYS_THAT_WITHDRAW:
        raise KeyCanWithdrawError
    if rights.read is False:
        raise PermissionMissingError


# --- In words ---------------------------------------------------------------------------------------------------------
def _clock_words(apart_ms: int) -> str:
    if abs(apart_ms) < _CLOCK_APART_MS:
        return _("The clocks agree.")
    return _("This server's clock is %d seconds off; requests are timed by the exchange's.") % (abs(apart_ms) // 1000)


def _rights_words(rights: KeyRights) -> str:
    if can_move_coins(rights):
        return _("This key can move your coins away. Replace it by one that can only read.")
    if rights.trade:
        return _("The key can trade as well. Coinsphere never does; a key that can only read is safer.")
    if is_unverified(rights):
        return _("The exchange does not tell everything that this key may do. Make sure there that it can only read.")
    return _("The key can only read.")
