"""The sync engine against a venue in memory: what comes in, what is held back, and what each failure leaves behind."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings

from apps.core import clock, jobs
from apps.core.errors import ProductError
from apps.exchanges.actions import observing, parting, scheduling, syncing
from apps.exchanges.actions.scheduling import ConnectionNotReadableError
from apps.exchanges.domain.planning import late_ms
from apps.exchanges.domain.reading import Stream
from apps.exchanges.gateways.errors import (
    BadAnswerError,
    CredentialsRejectedError,
    PermissionMissingError,
    VenueBusyError,
    VenueUnavailableError,
)
from apps.exchanges.models import Connection, RowState, StoredRow, StreamState, SyncRun, SyncTrigger
from apps.exchanges.tests.factories import make_connection, make_secrets
from apps.exchanges.tests.fake_venue import BTC, DEPOSITS, ETH, FakeVenue, balance, deposit, full_venue, trade
from apps.exchanges.tests.state import ledger_of, state_hash
from apps.portfolios.actions import ensure_booked, undo_batch
from apps.portfolios.models import Batch, Transaction
from apps.portfolios.models.observed import ObservedBalance, SourceGap
from apps.portfolios.queries.reconciliation import Cause, reconciliation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

Sync = Callable[..., SyncRun]


@pytest.fixture(autouse=True)
def _long_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no lease be renewed: a test's own transaction is not seen by the thread that renews it."""
    monkeypatch.setattr(settings, "JOB_LEASE_SECONDS", 3600.0)


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> FakeVenue:
    found = full_venue()
    monkeypatch.setattr(syncing, "venue", lambda _exchange: found)
    return found


@pytest.fixture
def connection() -> Connection:
    return make_connection()


def sync(
    connection: Connection, *, trigger: SyncTrigger = SyncTrigger.SCHEDULE, now: datetime | None = None
) -> SyncRun:
    """Carry one sync through all its turns, or until it waits or has ended."""
    moment = now or clock.now()
    connection.refresh_from_db()
    run = scheduling.request_sync(connection=connection, by=None, now=moment, trigger=trigger)
    return work_off(run, now=now)


def work_off(run: SyncRun, *, now: datetime | None = None) -> SyncRun:
    read_clock = clock.now if now is None else lambda: now
    for _turn in range(100):
        fence = run.fence
        syncing.run_sync(run_id=run.pk, worker="test", read_clock=read_clock)
        run = SyncRun.objects.get(pk=run.pk)
        if run.state != "queued" or run.fence == fence:
            break
    return run


def differing(connection: Connection) -> list[str]:
    now = clock.now()
    ensure_booked(portfolio=connection.portfolio, now=now)
    return [one.asset for one in reconciliation(portfolio=connection.portfolio, now=now) if one.cause != Cause.AGREES]


def test_a_whole_history_comes_in_as_one_batch_and_agrees_with_the_venue(
    venue: FakeVenue, connection: Connection
) -> None:
    run = sync(connection)
    assert (run.state, run.fetched, run.fresh, run.posted, run.refused, run.problems) == (
        "succeeded",
        52,
        52,
        52,
        0,
        [],
    )
    assert run.requests == venue.requests == 9
    assert Batch.objects.get().posted == 52
    assert run.batch_id == Batch.objects.get().pk
    assert differing(connection) == []
    assert set(StreamState.objects.values_list("state", "cursor")) == {("complete", None)}
    assert StoredRow.objects.filter(state=RowState.POSTED).count() == 52
    connection.refresh_from_db()
    assert connection.next_run_at is not None
    wait = connection.next_run_at - clock.now()
    assert timedelta(minutes=4) < wait < timedelta(minutes=6)


def test_a_second_sync_reads_little_and_posts_nothing(venue: FakeVenue, connection: Connection) -> None:
    sync(connection)
    differing(connection)
    before, asked = state_hash(connection), len(venue.asked)
    run = sync(connection)
    assert (run.state, run.posted, run.fresh) == ("succeeded", 0, 0)
    assert [key for key, _start in venue.asked[asked:]] == [DEPOSITS]
    assert state_hash(connection) == before
    assert Batch.objects.count() == 1


def test_a_trade_made_since_and_one_that_comes_late_are_found(venue: FakeVenue, connection: Connection) -> None:
    now = clock.now()
    sync(connection)
    differing(connection)
    late = int(now.timestamp() * 1000) - late_ms(Stream.TRADES) // 2
    venue.rows[BTC] += [trade(900, at_ms=late), trade(901, at_ms=late + 1000)]
    balance(venue)
    run = sync(connection)
    assert (run.state, run.posted) == ("succeeded", 2)
    assert differing(connection) == []
    assert [key for key, _start in venue.asked[-3:]] == [DEPOSITS, BTC, ETH]


def test_a_coin_that_does_not_agree_is_read_again(venue: FakeVenue, connection: Connection) -> None:
    sync(connection)
    venue.amounts["ETH"] += 1  # the balance is ahead of the trades
    sync(connection)
    differing(connection)
    asked = len(venue.asked)
    venue.rows[ETH].append(trade(700, symbol="ETH/USDT", at_ms=int(clock.now().timestamp() * 1000), amount="1"))
    sync(connection)
    assert [key for key, _start in venue.asked[asked:]] == [DEPOSITS, ETH]


def test_turns_go_on_where_the_last_one_stopped(
    venue: FakeVenue, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(make_connection())
    whole = state_hash(Connection.objects.exclude(pk=connection.pk).get())
    monkeypatch.setattr(syncing, "TURN", timedelta(0))
    venue.asked.clear()
    venue.lent = 0
    run = sync(connection)
    assert (run.state, run.attempts, run.posted) == ("succeeded", 0, 52)
    assert venue.lent == 7
    assert sorted(venue.asked, key=str) == sorted(set(venue.asked), key=str)
    assert state_hash(connection) == whole


def test_a_bad_row_is_a_problem_and_hides_no_other(venue: FakeVenue, connection: Connection) -> None:
    venue.rows[BTC][3] = trade(4, amount="NaN")
    run = sync(connection)
    assert (run.state, run.posted, run.refused) == ("succeeded", 51, 1)
    (problem,) = run.problems
    assert (problem["stream"], problem["symbol"], problem["external_id"]) == ("trades", "BTC/USDT", "4")
    row = StoredRow.objects.get(state=RowState.PROBLEM)
    assert (row.external_id, row.problem_code) == ("4", problem["code"])


def test_one_number_in_two_pairs_stands_for_two_trades(venue: FakeVenue, connection: Connection) -> None:
    venue.rows[ETH] = [trade(number, symbol="ETH/USDT", amount="2") for number in range(1, 26)]
    sync(connection)
    ids = set(Transaction.objects.values_list("external_id", flat=True))
    assert {"7", "7:ETH/USDT"} <= ids
    scheduling.read_again(connection=connection, by=None, now=clock.now())
    run = work_off(SyncRun.rows().open().get())
    assert (run.state, run.posted, run.refused, Transaction.objects.count()) == ("succeeded", 0, 0, 52)


def test_a_deposit_under_way_is_posted_once_it_has_arrived(venue: FakeVenue, connection: Connection) -> None:
    venue.rows[DEPOSITS].append(deposit(3, coin="EUR", amount="5", status=0))
    now = clock.now()
    last = venue.rows[DEPOSITS][-1]
    venue.rows[DEPOSITS][-1] = type(last)(
        stream=last.stream, external_id=last.external_id, at_ms=int(now.timestamp() * 1000) - 1000, payload=last.payload
    )
    sync(connection)
    assert StoredRow.objects.get(external_id="d3").state == RowState.NOTHING
    arrived = {**last.payload, "status": 1}
    kept = venue.rows[DEPOSITS][-1]
    venue.rows[DEPOSITS][-1] = type(last)(
        stream=kept.stream, external_id=kept.external_id, at_ms=kept.at_ms, payload=arrived
    )
    assert sync(connection).posted == 1
    venue.rows[DEPOSITS][-1] = kept  # the venue takes it back
    run = sync(connection)
    assert [one["code"] for one in run.problems] == ["row_taken_back"]
    assert Transaction.objects.standing().filter(external_id="d3").count() == 1


# --- What goes wrong --------------------------------------------------------------------------------------------------
def failing(error: ProductError, *, of: object = BTC, at: int = 10, times: int = 1) -> Callable[..., None]:
    left = [times]

    def hook(_venue: FakeVenue, key: object, start: int) -> None:
        if key == of and start == at and left[0]:
            left[0] -= 1
            raise error

    return hook


def test_nonsense_from_one_stream_leaves_the_others_and_heals(venue: FakeVenue, connection: Connection) -> None:
    sync(other := make_connection())
    whole = state_hash(other)
    venue.before_page = failing(BadAnswerError())
    run = sync(connection)
    assert (run.state, run.posted) == ("waiting", 37)
    assert [(one["code"], one.get("symbol")) for one in run.problems] == [
        ("venue_bad_answer", "BTC/USDT"),
        ("venue_bad_answer", None),
    ]
    assert SourceGap.objects.filter(closed_at=None).count() == 1
    later = clock.now() + timedelta(minutes=2)
    run = work_off(run, now=later)
    assert (run.state, run.posted, run.problem_code) == ("succeeded", 52, "")
    assert SourceGap.objects.filter(closed_at=None).count() == 0
    assert state_hash(connection) == whole
    assert Connection.objects.get(pk=connection.pk).problem_code == ""


def test_an_exchange_that_is_away_is_tried_again_and_nothing_is_lost(venue: FakeVenue, connection: Connection) -> None:
    venue.before_page = failing(VenueUnavailableError(), times=99)
    run = sync(connection)
    assert (run.state, run.problem_code, run.posted) == ("waiting", "venue_unavailable", 12)
    for tries in range(1, 7):
        run = work_off(run, now=clock.now() + timedelta(hours=tries))
    assert run.state == "failed"
    connection.refresh_from_db()
    assert (connection.state, connection.problem_code) == ("active", "venue_unavailable")
    venue.before_page = None
    run = sync(connection, now=clock.now() + timedelta(hours=8))
    assert (run.state, Transaction.objects.count()) == ("succeeded", 52)


def test_a_pause_that_the_exchange_asks_for_is_kept_by_all(venue: FakeVenue, connection: Connection) -> None:
    now = clock.now()
    venue.before_page = failing(VenueBusyError(retry_after=90))
    run = sync(connection, now=now)
    assert (run.state, run.problem_code) == ("waiting", "venue_busy")
    assert now + timedelta(seconds=90) <= run.next_attempt_at < now + timedelta(seconds=150)
    other, lent = make_connection(), venue.lent
    waiting = sync(other, now=now + timedelta(seconds=30))
    assert (waiting.state, venue.lent) == ("queued", lent)
    assert waiting.next_attempt_at >= now + timedelta(seconds=60)
    assert work_off(run, now=now + timedelta(seconds=200)).state == "succeeded"


def test_a_refused_key_stops_at_once_until_it_is_replaced(venue: FakeVenue, connection: Connection) -> None:
    venue.before_page = failing(CredentialsRejectedError())
    run = sync(connection)
    assert (run.state, run.problem_code, run.posted) == ("failed", "credentials_rejected", 12)
    connection.refresh_from_db()
    assert (connection.state, connection.next_run_at) == ("revoked", None)
    lent = venue.lent
    with pytest.raises(ConnectionNotReadableError):
        scheduling.request_sync(connection=connection, by=None, now=clock.now())
    assert scheduling.enqueue_due(now=clock.now() + timedelta(days=1)) == 0
    assert venue.lent == lent


def test_what_a_key_may_not_read_is_a_gap_and_the_rest_is_read(venue: FakeVenue, connection: Connection) -> None:
    venue.before_page = failing(PermissionMissingError(), of=DEPOSITS, at=0)
    run = sync(connection)
    assert (run.state, run.posted) == ("succeeded", 50)
    connection.refresh_from_db()
    assert (connection.state, connection.problem_code) == ("error", "permission_missing")
    assert StreamState.objects.get(stream="deposits").state == "partial"
    assert SourceGap.objects.filter(closed_at=None).count() == 1
    assert sync(connection).state == "succeeded"
    connection.refresh_from_db()
    assert (connection.state, connection.problem_code) == ("active", "")
    assert SourceGap.objects.filter(closed_at=None).count() == 0


def test_no_balance_at_all_is_believed_the_second_time(venue: FakeVenue, connection: Connection) -> None:
    sync(connection)
    kept = dict(ObservedBalance.objects.values_list("asset", "amount"))
    venue.amounts = {}
    run = sync(connection)
    assert [one["code"] for one in run.problems] == ["balances_empty"]
    assert dict(ObservedBalance.objects.values_list("asset", "amount")) == kept
    assert sync(connection).problems == []
    assert set(ObservedBalance.objects.values_list("amount", flat=True)) == {Decimal(0)}


def test_a_page_that_comes_again_and_again_ends(venue: FakeVenue, connection: Connection) -> None:
    page = venue.page

    def stuck(**asked: object) -> object:
        found = page(**asked)  # type: ignore[arg-type]
        return (
            found
            if found.is_last
            else type(found)(rows=found.rows, cursor={"place": 0}, covered_to_ms=found.covered_to_ms, is_last=False)
        )

    venue.page = stuck  # type: ignore[method-assign, assignment]
    run = sync(connection)
    assert (run.state, run.problem_code) == ("waiting", "venue_bad_answer")
    assert Transaction.objects.count() == 22


# --- Stopping and going -----------------------------------------------------------------------------------------------
def test_a_sync_that_is_stopped_writes_nothing_more(venue: FakeVenue, connection: Connection) -> None:
    def stop(_venue: FakeVenue, key: object, start: int) -> None:
        if (key, start) == (BTC, 10):
            scheduling.stop_syncs(connection=connection, now=clock.now())

    venue.before_page = stop
    run = sync(connection)
    assert (run.state, run.posted, Transaction.objects.count()) == ("cancelled", 12, 12)


@pytest.mark.parametrize("history", list(parting.History))
def test_parting_and_connecting_again_leaves_no_doubles(
    venue: FakeVenue, connection: Connection, history: parting.History
) -> None:
    key = make_secrets()
    connection = make_connection(portfolio=make_connection().portfolio, secrets=key, label="Mine", venue_account="7")
    sync(connection)
    told = ledger_of(connection)
    parting.disconnect(user=connection.owner, connection_id=connection.pk, history=history, now=clock.now())
    left = 52 if history == parting.History.KEEP else 0
    assert Transaction.objects.standing().filter(account=connection.account_id).count() == left
    assert not StoredRow.objects.filter(connection_id=connection.pk).exists()
    again = make_connection(portfolio=connection.portfolio, secrets=key, label="Mine", venue_account="7")
    assert again.account_id == connection.account_id
    run = sync(again)
    assert (run.state, run.posted) == ("succeeded", 52 - left)
    assert ledger_of(again) == told
    assert differing(again) == []


def test_an_undone_sync_stays_undone_until_everything_is_read_again(venue: FakeVenue, connection: Connection) -> None:
    run = sync(connection)
    assert run.batch_id is not None
    undo_batch(user=connection.owner, batch_id=run.batch_id, now=clock.now())
    assert sync(connection).posted == 0
    scheduling.read_again(connection=connection, by=None, now=clock.now())
    run = work_off(SyncRun.rows().open().get())
    assert (run.state, run.posted, run.problems) == ("succeeded", 52, [])


# --- When -------------------------------------------------------------------------------------------------------------
def test_what_is_due_is_queued_once_longest_waiting_first(venue: FakeVenue) -> None:
    now = clock.now()
    first, second = make_connection(now=now - timedelta(minutes=2)), make_connection(now=now - timedelta(minutes=9))
    assert scheduling.enqueue_due(now=now) == 2
    assert scheduling.enqueue_due(now=now) == 0
    runs = SyncRun.rows().open().order_by("id")
    assert [run.connection_id for run in runs] == [second.pk, first.pk]
    first.refresh_from_db()
    assert first.next_run_at is not None
    assert first.next_run_at > now
    known = scheduling.request_sync(connection=first, by=first.owner, now=now)
    assert (known.pk, known.trigger) == (runs[1].pk, SyncTrigger.PERSON)


def test_what_somebody_waits_for_comes_first(venue: FakeVenue) -> None:
    now = clock.now()
    by_itself, by_hand = make_connection(), make_connection()
    waiting = scheduling.request_sync(
        connection=by_itself, by=None, now=now - timedelta(seconds=5), trigger=SyncTrigger.SCHEDULE
    )
    asked = scheduling.request_sync(connection=by_hand, by=by_hand.owner, now=now)
    syncing.run_sync(run_id=waiting.pk, worker="test", read_clock=clock.now)
    assert SyncRun.objects.get(pk=asked.pk).state == "succeeded"
    assert SyncRun.objects.get(pk=waiting.pk).state == "queued"
    assert work_off(waiting).state == "succeeded"


def test_a_sync_that_stops_its_worker_is_parked_and_told(venue: FakeVenue, connection: Connection) -> None:
    def burst(_venue: FakeVenue, _key: object, _start: int) -> None:
        raise RuntimeError("unforeseen")

    venue.before_page = burst
    run = scheduling.request_sync(connection=connection, by=None, now=clock.now(), trigger=SyncTrigger.SCHEDULE)
    for _crash in range(3):
        with pytest.raises(RuntimeError):
            syncing.run_sync(run_id=run.pk, worker="test", read_clock=clock.now)
    assert SyncRun.objects.get(pk=run.pk).state == "parked"
    assert scheduling.enqueue_due(now=clock.now() + timedelta(hours=2)) == 0
    connection.refresh_from_db()
    assert (connection.state, connection.problem_code, connection.next_run_at) == ("error", "parked", None)
    venue.before_page = None
    assert sync(connection, trigger=SyncTrigger.PERSON).state == "succeeded"
    connection.refresh_from_db()
    assert connection.state == "active"


def test_everything_of_a_person_is_synced_at_once_but_what_is_paused(venue: FakeVenue) -> None:
    first = make_connection()
    second = make_connection(portfolio=first.portfolio)
    Connection.objects.filter(pk=second.pk).update(state="paused", paused_at=clock.now())
    make_connection()
    runs = scheduling.request_all(user=first.owner, now=clock.now())
    assert [run.connection_id for run in runs] == [first.pk]


def test_pairs_that_nobody_named_are_tried_little_by_little(
    venue: FakeVenue, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "SWEPT_AT_ONCE", 2)
    venue.more = tuple(type(BTC)(stream=Stream.TRADES, symbol=f"C{number}/USDT") for number in range(3))
    for _sync in range(4):
        sync(connection)
    swept = [key.symbol for key, _start in venue.asked if key in venue.more]
    assert swept == ["C0/USDT", "C1/USDT", "C2/USDT"]


def test_two_syncs_of_one_key_do_not_meet(venue: FakeVenue) -> None:
    key = make_secrets()
    first, second = make_connection(secrets=key), make_connection(secrets=key)
    other = scheduling.request_sync(connection=second, by=None, now=clock.now(), trigger=SyncTrigger.SCHEDULE)
    inside: list[str] = []

    def meet(_venue: FakeVenue, _key: object, _start: int) -> None:
        if not inside:
            inside.append("asked")
            syncing.run_sync(run_id=other.pk, worker="other", read_clock=clock.now)
            inside.append(SyncRun.objects.get(pk=other.pk).state)

    venue.before_page = meet
    assert sync(first, trigger=SyncTrigger.PERSON).state == "succeeded"
    assert inside == ["asked", "queued"]
    assert venue.lent == 1
    assert jobs.lease_seconds() > 0
