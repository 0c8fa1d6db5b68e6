"""A person connects an exchange, changes what it is called, gives it another key, or parts with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.actions import record_audit
from apps.accounts.domain.origin import NO_REQUEST, RequestMeta
from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.core.vault import Secret
from apps.exchanges.actions.keeping import AccountConnectedError, Draft, Probed, keep_connection, refuse_known_key
from apps.exchanges.actions.probing import Tested, adapter_of, clean_secrets, test_secrets
from apps.exchanges.actions.scheduling import request_sync, stop_syncs
from apps.exchanges.actions.secrets import keep_secrets, key_fingerprint, key_hint, note_use
from apps.exchanges.models import Connection, ConnectionState, SyncTrigger, UsePurpose, VenueAccount
from apps.exchanges.queries.accounts import other_world_is_there
from apps.exchanges.queries.connections import connection_of
from apps.portfolios.actions import ensure_default_portfolio
from apps.portfolios.queries import portfolio_of

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.exchanges.domain.reading import KeyRights
    from apps.portfolios.models import Portfolio

#: Markets that a person may name for one connection.
MOST_HINTS: Final = 500


class OtherAccountError(ConflictError):
    """The new key opens another account at the exchange than the one that was read so far."""

    code = "key_of_another_account"
    title = "This key opens another account"
    default_detail = (
        "This key belongs to another account at the exchange. Connect it as a connection of its own, so that the "
        "two histories stay apart."
    )


class OtherWorldError(ConflictError):
    """The simulator's coins and real ones would stand in one total."""

    code = "worlds_do_not_mix"
    title = "Simulated and real accounts stay apart"
    default_detail = (
        "This portfolio holds accounts of the other world, simulated or real. Make a portfolio of its own for this one."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for: an exchange, the parts of a key, and where it belongs."""

    exchange: str
    fields: Mapping[str, str | None] = field(repr=False)
    label: str = ""
    portfolio_id: UUID | None = None
    account_id: UUID | None = None
    hints: tuple[str, ...] = ()
    history_from: datetime | None = None


# --- Trying and connecting --------------------------------------------------------------------------------------------
def test_key(*, user: User, wish: Wish, now: datetime) -> Tested:
    """Try a key at its exchange and keep nothing."""
    _portfolio(user, wish, now)
    adapter = adapter_of(exchange=wish.exchange)
    secrets = clean_secrets(adapter=adapter, fields=wish.fields)
    return test_secrets(adapter=adapter, secrets=secrets, now=now)


def connect(*, user: User, wish: Wish, now: datetime, request_meta: RequestMeta = NO_REQUEST) -> Connection:
    """Try a key, keep it if it can only read, and ask for its first sync."""
    portfolio = _portfolio(user, wish, now)
    adapter = adapter_of(exchange=wish.exchange)
    secrets = clean_secrets(adapter=adapter, fields=wish.fields)
    fingerprint = key_fingerprint(exchange=wish.exchange, api_key=secrets["api_key"])
    refuse_known_key(user=user, exchange=wish.exchange, fingerprint=fingerprint)
    tested = test_secrets(adapter=adapter, secrets=secrets, now=now)
    if tested.problem is not None:
        raise tested.problem
    draft = Draft(
        exchange=wish.exchange,
        secrets=secrets,
        label=wish.label or adapter.name,
        portfolio=portfolio,
        account_id=wish.account_id,
        hints=wish.hints,
        history_from=wish.history_from,
    )
    with transaction.atomic():
        _refuse_other_world(portfolio, tested)
        connection = keep_connection(user=user, draft=draft, probed=_probed(tested), now=now)
        note_use(connection=connection, purpose=UsePurpose.CONNECT, now=now)
        _log(user, "exchange.connected", connection, now, request_meta)
        request_sync(connection=connection, by=user, now=now, trigger=SyncTrigger.CONNECTED)
    return connection


def _portfolio(user: User, wish: Wish, now: datetime) -> Portfolio:
    if wish.portfolio_id is None:
        return ensure_default_portfolio(user=user, now=now)
    try:
        return portfolio_of(user=user, portfolio_id=wish.portfolio_id)
    except NotFoundError:
        message = _("You have no such portfolio.")
        raise InvalidError(problems=[FieldProblem("portfolio", "unknown_portfolio", message)]) from None


def _refuse_other_world(portfolio: Portfolio, tested: Tested) -> None:
    """Refuse to let simulated coins and real ones stand in one total."""
    if other_world_is_there(portfolio=portfolio, is_simulated=tested.is_simulated):
        raise OtherWorldError


def _probed(tested: Tested) -> Probed:
    return Probed(
        rights=tested.rights,
        venue_account=tested.venue_account,
        certified=tested.certified,
        is_simulated=tested.is_simulated,
    )


# --- Changing ---------------------------------------------------------------------------------------------------------
def change(
    *,
    user: User,
    connection_id: UUID,
    label: str | None = None,
    paused: bool | None = None,
    hints: Sequence[str] | None = None,
    key: Mapping[str, str | None] | None = None,
    now: datetime,
    request_meta: RequestMeta = NO_REQUEST,
) -> Connection:
    """Change what is named; a new key comes first, because it may be refused and then nothing else has changed."""
    connection = connection_of(user=user, connection_id=connection_id)
    if key:
        connection = replace_key(user=user, connection_id=connection_id, fields=key, now=now, request_meta=request_meta)
    if label is not None:
        connection = rename(user=user, connection_id=connection_id, label=label)
    if hints is not None:
        connection = hint(user=user, connection_id=connection_id, hints=tuple(hints))
    if paused is not None:
        verb = pause if paused else resume
        connection = verb(user=user, connection_id=connection_id, now=now, request_meta=request_meta)
    return connection


def rename(*, user: User, connection_id: UUID, label: str) -> Connection:
    """Call a connection something else."""
    connection = connection_of(user=user, connection_id=connection_id)
    connection.label = label
    connection.save(update_fields=["label"])
    return connection


def hint(*, user: User, connection_id: UUID, hints: tuple[str, ...]) -> Connection:
    """Name markets to look at, for exchanges that tell trades only market by market."""
    connection = connection_of(user=user, connection_id=connection_id)
    connection.hints = sorted({one.strip().upper() for one in hints if one.strip()})[:MOST_HINTS]
    connection.save(update_fields=["hints"])
    return connection


def pause(*, user: User, connection_id: UUID, now: datetime, request_meta: RequestMeta = NO_REQUEST) -> Connection:
    """Leave an exchange alone until its owner says otherwise."""
    with transaction.atomic():
        connection = _locked(user, connection_id)
        if connection.state == ConnectionState.PAUSED:
            return connection
        connection.state, connection.paused_at = ConnectionState.PAUSED, now
        connection.save(update_fields=["state", "paused_at"])
        stop_syncs(connection=connection, now=now)
        _log(user, "exchange.paused", connection, now, request_meta)
    return connection


def resume(*, user: User, connection_id: UUID, now: datetime, request_meta: RequestMeta = NO_REQUEST) -> Connection:
    """Go on reading an exchange; a key that was refused before it was paused is tried once."""
    with transaction.atomic():
        connection = _locked(user, connection_id)
        if connection.state != ConnectionState.PAUSED:
            return connection
        connection.state, connection.paused_at = ConnectionState.ACTIVE, None
        connection.next_run_at = now
        connection.save(update_fields=["state", "paused_at", "next_run_at"])
        _log(user, "exchange.resumed", connection, now, request_meta)
        request_sync(connection=connection, by=user, now=now, trigger=SyncTrigger.PERSON)
    return connection


def replace_key(
    *,
    user: User,
    connection_id: UUID,
    fields: Mapping[str, str | None],
    now: datetime,
    request_meta: RequestMeta = NO_REQUEST,
) -> Connection:
    """Give a connection another key of the same account; the old one is forgotten."""
    connection = connection_of(user=user, connection_id=connection_id)
    adapter = adapter_of(exchange=connection.exchange)
    secrets = clean_secrets(adapter=adapter, fields=fields)
    fingerprint = key_fingerprint(exchange=connection.exchange, api_key=secrets["api_key"])
    if fingerprint != connection.key_fingerprint:
        refuse_known_key(user=user, exchange=connection.exchange, fingerprint=fingerprint)
    tested = test_secrets(adapter=adapter, secrets=secrets, now=now)
    if tested.problem is not None:
        raise tested.problem
    if connection.venue_account and tested.venue_account and tested.venue_account != connection.venue_account:
        raise OtherAccountError
    if connection.is_simulated != tested.is_simulated:
        raise OtherWorldError
    with transaction.atomic():
        connection = _locked(user, connection_id)
        stop_syncs(connection=connection, now=now)
        _take_key(connection, secrets, tested.rights, fingerprint, now)
        _note_account(connection, tested.venue_account)
        note_use(connection=connection, purpose=UsePurpose.REPLACE, now=now)
        _log(user, "exchange.key_replaced", connection, now, request_meta)
        if connection.state != ConnectionState.PAUSED:
            request_sync(connection=connection, by=user, now=now, trigger=SyncTrigger.PERSON)
    return connection


def _take_key(
    connection: Connection, secrets: Mapping[str, Secret], rights: KeyRights, fingerprint: str, now: datetime
) -> None:
    connection.key_hint = key_hint(api_key=secrets["api_key"])
    connection.key_fingerprint = fingerprint
    connection.rights = asdict(rights)
    connection.rights_checked_at = connection.key_changed_at = connection.next_run_at = now
    connection.problem_code = connection.problem_detail = ""
    if connection.state != ConnectionState.PAUSED:
        connection.state = ConnectionState.ACTIVE
    connection.save()
    keep_secrets(connection=connection, secrets=secrets, now=now)


def _note_account(connection: Connection, name: str) -> None:
    """Keep the exchange's name of the account, where it is told for the first time."""
    if not name or connection.venue_account:
        return
    twins = Connection.objects.of_portfolio(connection.portfolio_id).filter(
        exchange=connection.exchange, venue_account=name
    )
    if twins.exists():
        raise AccountConnectedError
    connection.venue_account = name
    connection.save(update_fields=["venue_account"])
    VenueAccount.objects.filter(account=connection.account_id).update(name=name)


# --- Parting ----------------------------------------------------------------------------------------------------------
def _locked(user: User, connection_id: UUID) -> Connection:
    row = Connection.objects.for_user(user).select_for_update().filter(pk=connection_id).first()
    if row is None:
        raise NotFoundError
    return row


def _log(user: User, action: str, connection: Connection, now: datetime, request_meta: RequestMeta) -> None:
    record_audit(
        actor=user,
        action=action,
        target=str(connection.pk),
        now=now,
        detail={"exchange": connection.exchange},
        request_meta=request_meta,
    )
