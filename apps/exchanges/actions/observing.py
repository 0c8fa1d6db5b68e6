"""The two ends of a sync: what the venue says is held, and which streams that makes worth reading."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final

from django.utils.translation import gettext as _

from apps.core.errors import ProductError
from apps.exchanges.actions.passes import Sync, counted, failed_stream, read_pass, states_of, still_to_read
from apps.exchanges.actions.storing import settle_rows, waiting_rows
from apps.exchanges.domain.normalize import held
from apps.exchanges.domain.reading import StreamKey
from apps.exchanges.gateways.adapter import Session
from apps.exchanges.gateways.errors import BadAnswerError, PermissionMissingError, VenueRefusedError
from apps.exchanges.models import StreamState, SyncRun, SyncTrigger
from apps.exchanges.queries.ledger import last_seen
from apps.portfolios.actions import record_observed_balances
from apps.portfolios.queries.reconciliation import reconciliation

#: So many pairs that nobody has named are tried in one sync, and each again after so long.
SWEPT_AT_ONCE: Final = 10
SWEPT_AGAIN: Final = timedelta(days=30)
SWEEP_LASTS: Final = timedelta(seconds=4)


def read_streams(*, sync: Sync, session: Session) -> bool:
    """Read what is worth reading for one turn and compare the end with the venue; False when more is left to read."""
    now, amounts = sync.now(), _held(sync, session)
    known = states_of(connection=sync.connection)
    keys = _wanted(sync, session, known)
    moved = _moved(sync, amounts, now)
    nonsense: ProductError | None = None
    left = still_to_read(sync=sync, keys=keys, known=known, moved=moved)
    for number, key in enumerate(left, len(keys) - len(left)):
        try:
            if not read_pass(sync=sync, session=session, key=key, state=known.get(key), place=(number, len(keys))):
                return False
            _settle_waiting(sync)
        except (PermissionMissingError, VenueRefusedError, BadAnswerError) as problem:
            failed_stream(sync=sync, key=key, problem=problem)
            nonsense = problem if isinstance(problem, BadAnswerError) else nonsense
        if sync.is_over_time and key != left[-1]:
            return False
    _settle_waiting(sync, again=sync.run.trigger != SyncTrigger.SCHEDULE)
    if nonsense is not None:
        raise nonsense  # what the others had to tell is kept; this one is asked again
    _observe(sync, session, amounts, now)
    _sweep(sync, session, keys)
    return True


# --- Which streams ----------------------------------------------------------------------------------------------------
def _wanted(sync: Sync, session: Session, known: Mapping[StreamKey, StreamState]) -> list[StreamKey]:
    """Return the streams of the connection: those the venue names, and those that ever held something."""
    seen = [key for key, state in known.items() if state.rows and state.covered_to is not None]
    hints = {*sync.connection.hints, *(key.symbol for key in seen if key.symbol), *_ever_held(sync)}
    return list(dict.fromkeys((*session.streams(hints=sorted(hints)), *seen)))


def _sweep(sync: Sync, session: Session, keys: Collection[StreamKey]) -> None:
    """Read a little of what nobody has named, for a short while, so that in the end everything was tried."""
    known = states_of(connection=sync.connection)
    sync.until = min(sync.until, sync.now() + SWEEP_LASTS)
    for key in _swept(sync, session, known, keys):
        if sync.is_over_time:
            break
        try:
            read_pass(sync=sync, session=session, key=key, state=known.get(key), place=(len(keys), len(keys)))
        except (PermissionMissingError, VenueRefusedError, BadAnswerError) as problem:
            failed_stream(sync=sync, key=key, problem=problem)
    _settle_waiting(sync)


def _swept(
    sync: Sync, session: Session, known: Mapping[StreamKey, StreamState], keys: Collection[StreamKey]
) -> list[StreamKey]:
    """Return some streams that nobody has named and that were not read for long."""
    before = sync.now() - SWEPT_AGAIN

    def is_old(key: StreamKey) -> bool:
        state = known.get(key)
        return key not in keys and (state is None or state.read_at is None or state.read_at < before)

    return list(islice(filter(is_old, session.sweep()), SWEPT_AT_ONCE))


def _ever_held(sync: Sync) -> Collection[str]:
    return last_seen(account_id=sync.connection.account_id).keys()


def _moved(sync: Sync, amounts: Mapping[str, Decimal], now: datetime) -> Collection[str] | None:
    """Return the coins whose balance is another than last time, or than the ledger's; None: read everything."""
    if sync.run.trigger != SyncTrigger.SCHEDULE:
        return None
    account = sync.connection.account
    before = last_seen(account_id=account.pk)
    if not before:
        return None
    moved = {asset for asset in before.keys() | amounts.keys() if before.get(asset, 0) != amounts.get(asset, 0)}
    balances = reconciliation(portfolio=sync.connection.portfolio, now=now)
    return moved | {one.asset for one in balances if one.account == account.name and one.difference}


# --- What is held -----------------------------------------------------------------------------------------------------
def _held(sync: Sync, session: Session) -> Mapping[str, Decimal]:
    return held(exchange=sync.connection.exchange, balances=session.balances())


def _observe(sync: Sync, session: Session, amounts: Mapping[str, Decimal], at: datetime) -> None:
    """Hand the balances to the ledger; after news they are asked for once more, so that both are of one moment."""
    if sync.has_news:
        at, amounts = sync.now(), _held(sync, session)
    account = sync.connection.account
    if not amounts and not _is_confirmed(sync):
        detail = _("The exchange named no balance at all. It is believed when it says so a second time.")
        problems = sync.problems_with([{"code": "balances_empty", "detail": detail}])
        sync.lease.save(saw_nothing=True, problems=problems, **sync.costs(session))
        return
    with sync.step():
        record_observed_balances(account=account, balances=amounts, at=at)
        sync.lease.save(saw_nothing=not amounts, **sync.costs(session))


def _is_confirmed(sync: Sync) -> bool:
    """Tell whether it may be believed that nothing is held: nothing was before, or the last run was told so too."""
    if not any(last_seen(account_id=sync.connection.account_id).values()):
        return True
    before = SyncRun.rows().over().filter(connection=sync.connection).order_by("-id").first()
    return before is not None and before.saw_nothing


# --- Rows that belong together ----------------------------------------------------------------------------------------
def _settle_waiting(sync: Sync, *, again: bool = False) -> None:
    """Turn the rows that waited for each other into entries; a person's sync tries those with problems once more."""
    while rows := waiting_rows(connection=sync.connection, with_problems=again):
        again = False
        sync.check()
        with sync.step():
            settled = settle_rows(connection=sync.connection, rows=rows, into=sync.run.batch_id, now=sync.now())
            sync.lease.advance(**counted(sync=sync, settled=settled), **sync.costs())
