"""Connections as rows: kept with their account of the ledger, which the next key of the same account finds again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.core.vault import Secret
from apps.exchanges.actions.secrets import keep_secrets, key_fingerprint, key_hint
from apps.exchanges.domain.reading import KeyRights
from apps.exchanges.models import Connection, VenueAccount
from apps.exchanges.models.connections import LONGEST_LABEL
from apps.exchanges.queries.accounts import free_accounts, names_taken
from apps.portfolios.actions.portfolios import create_exchange_account, locked_portfolio
from apps.portfolios.queries import account_of

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.portfolios.models import Account, Portfolio

MOST_CONNECTIONS: Final = 100


class KeyConnectedError(ConflictError):
    """The person has connected this key already."""

    code = "key_already_connected"
    title = "This key is connected already"
    default_detail = "You have connected this key before. Use that connection, or paste another key."


class AccountConnectedError(ConflictError):
    """Another connection reads the same account at the exchange, or fills the same account of the ledger."""

    code = "account_already_connected"
    title = "This account is connected already"
    default_detail = "Another connection reads this account. Replace its key there, or remove it first."


class TooManyConnectionsError(ConflictError):
    """The person has as many connections as they can."""

    code = "too_many_connections"
    title = "Too many connections"
    default_detail = f"You can keep {MOST_CONNECTIONS} connections. Remove one that you no longer need."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person gives to connect an exchange."""

    exchange: str
    secrets: Mapping[str, Secret] = field(repr=False)
    label: str = ""
    portfolio: Portfolio
    account_id: UUID | None = None
    hints: tuple[str, ...] = ()
    history_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What a venue said about a key."""

    rights: KeyRights
    venue_account: str = ""
    certified: bool = True
    is_simulated: bool = False


def keep_connection(*, user: User, draft: Draft, probed: Probed, now: datetime) -> Connection:
    """Keep a connection with its sealed key, and the account that it fills."""
    api_key = draft.secrets["api_key"]
    fingerprint = key_fingerprint(exchange=draft.exchange, api_key=api_key)
    with transaction.atomic():
        locked_portfolio(user=user, portfolio_id=draft.portfolio.pk)
        refuse_known_key(user=user, exchange=draft.exchange, fingerprint=fingerprint)
        if Connection.objects.for_user(user).count() >= MOST_CONNECTIONS:
            raise TooManyConnectionsError
        account = _account(draft, probed, now)
        connection = Connection.objects.create(
            owner=user,
            portfolio=draft.portfolio,
            account=account,
            exchange=draft.exchange,
            label=draft.label or account.name,
            certified=probed.certified,
            is_simulated=probed.is_simulated,
            venue_account=probed.venue_account,
            key_hint=key_hint(api_key=api_key),
            key_fingerprint=fingerprint,
            rights=asdict(probed.rights),
            rights_checked_at=now,
            key_changed_at=now,
            hints=list(draft.hints),
            history_from=draft.history_from,
            next_run_at=now,
            created_at=now,
        )
        keep_secrets(connection=connection, secrets=draft.secrets, now=now)
        return connection


def refuse_known_key(*, user: User, exchange: str, fingerprint: str) -> None:
    """Refuse a key that the person has connected already."""
    known = Connection.objects.for_user(user).filter(exchange=exchange, key_fingerprint=fingerprint).first()
    if known is not None:
        detail = _("You have connected this key as “%(label)s”. Use that connection, or paste another key.")
        raise KeyConnectedError(detail % {"label": known.label})


# --- Which account of the ledger --------------------------------------------------------------------------------------
def _account(draft: Draft, probed: Probed, now: datetime) -> Account:
    _refuse_read_twice(draft, probed)
    account = _chosen(draft, draft.account_id) if draft.account_id else _known(draft, probed) or _made(draft, now)
    VenueAccount.objects.update_or_create(
        account=account,
        defaults={
            "exchange": draft.exchange,
            "name": probed.venue_account,
            "is_simulated": probed.is_simulated,
        },
    )
    return account


def _refuse_read_twice(draft: Draft, probed: Probed) -> None:
    """Refuse an account at the exchange that another connection of the portfolio reads."""
    if not probed.venue_account:
        return
    others = Connection.objects.of_portfolio(draft.portfolio.pk).filter(
        exchange=draft.exchange, venue_account=probed.venue_account, is_simulated=probed.is_simulated
    )
    other = others.first()
    if other is not None:
        detail = _("“%(label)s” reads this account already. Replace its key there, or remove it first.")
        raise AccountConnectedError(detail % {"label": other.label})


def _chosen(draft: Draft, account_id: UUID) -> Account:
    try:
        account = account_of(portfolio=draft.portfolio, account_id=account_id)
    except NotFoundError:
        raise InvalidError(problems=[FieldProblem("account", "unknown", _("There is no such account."))]) from None
    if Connection.objects.filter(account=account).exists():
        raise AccountConnectedError
    return account


def _known(draft: Draft, probed: Probed) -> Account | None:
    """Return the account that this account at the exchange filled before; else the only free one of the exchange."""
    free = free_accounts(portfolio=draft.portfolio, exchange=draft.exchange, is_simulated=probed.is_simulated)
    if probed.venue_account:
        same = free.filter(venue_account__name=probed.venue_account).first()
        if same is not None:
            return same
        free = free.exclude(venue_account__name__gt="")
    named = free.filter(name=draft.label).first() if draft.label else None
    some = list(free[:2])
    return named or (some[0] if len(some) == 1 else None)


def _made(draft: Draft, now: datetime) -> Account:
    """Make an account, named as the connection and numbered where the name is taken."""
    wanted = draft.label or draft.exchange.capitalize()
    taken = names_taken(portfolio=draft.portfolio)
    name = next(one for one in _names(wanted) if one not in taken)
    return create_exchange_account(portfolio=draft.portfolio, name=name, exchange=draft.exchange, now=now)


def _names(wanted: str) -> list[str]:
    return [wanted, *(f"{wanted[: LONGEST_LABEL - 5]} {number}" for number in range(2, MOST_CONNECTIONS + 502))]
