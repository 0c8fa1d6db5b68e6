"""CSV first, API onward: what a file has told is not told again, wherever the seam lies."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.conf import settings

from apps.core import clock
from apps.exchanges.actions import syncing
from apps.exchanges.actions.seams import TOLD_BY_FILE
from apps.exchanges.domain.normalize import normalize
from apps.exchanges.models import Connection, RowState, StoredRow
from apps.exchanges.queries.ledger import proposed_seam
from apps.exchanges.tests.factories import make_connection
from apps.exchanges.tests.fake_venue import BTC, FakeVenue, full_venue, trade
from apps.exchanges.tests.test_syncing import differing, sync
from apps.portfolios.actions import post_entries
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.models import BatchKind, Transaction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]


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


def drafts_of(connection: Connection, venue: FakeVenue, *, until: int) -> list[EntryDraft]:
    """Return the first trades of Bitcoin as a file without the ids of the venue tells them, a second off."""
    rows = [row for row in venue.rows[BTC] if int(row.external_id) <= until]
    made = normalize(exchange="binance", rows=rows, account=connection.account.name, currency="USD")
    return [replace(one, at_us=one.at_us + 1_000_000, external_id=f"line {one.external_id}") for one in made.drafts]


def imported(connection: Connection, drafts: list[EntryDraft]) -> None:
    post_entries(
        portfolio=connection.portfolio,
        drafts=drafts,
        source="binance",
        by=None,
        now=clock.now(),
        kind=BatchKind.IMPORT,
    )


def test_rows_that_a_file_has_told_are_not_doubled(venue: FakeVenue, connection: Connection) -> None:
    imported(connection, drafts_of(connection, venue, until=10))
    run = sync(connection)
    assert (run.posted, run.duplicates, run.refused) == (42, 10, 0)
    assert StoredRow.objects.filter(state=RowState.NOTHING, problem_code=TOLD_BY_FILE).count() == 10
    assert Transaction.objects.standing().count() == 52
    assert differing(connection) == []


def test_twins_are_two_also_where_the_file_has_one_of_them(venue: FakeVenue, connection: Connection) -> None:
    imported(connection, drafts_of(connection, venue, until=1))
    venue.page_rows = 1  # each comes in a transaction of its own
    venue.rows[BTC].insert(1, trade(500, at_ms=venue.rows[BTC][0].at_ms + 1))
    run = sync(connection)
    assert (run.posted, run.duplicates) == (52, 1)
    venue.page_rows = 10
    assert Transaction.objects.standing().count() == 53


def test_the_same_id_in_the_file_is_the_same_entry(venue: FakeVenue, connection: Connection) -> None:
    drafts = [
        replace(one, external_id=(one.external_id or "").removeprefix("line ")) for one in with_ids(connection, venue)
    ]
    imported(connection, [replace(one, at_us=one.at_us - 1_000_000) for one in drafts])
    run = sync(connection)
    assert (run.posted, run.duplicates, run.refused) == (47, 5, 0)


def with_ids(connection: Connection, venue: FakeVenue) -> list[EntryDraft]:
    return drafts_of(connection, venue, until=5)


def test_before_the_seam_nothing_is_posted_and_it_is_proposed_after_the_last_line(
    venue: FakeVenue, connection: Connection
) -> None:
    assert proposed_seam(account_id=connection.account_id) is None
    drafts = drafts_of(connection, venue, until=10)
    imported(connection, [replace(one, in_amount=Decimal(1) if one.in_amount else None) for one in drafts[9:]])
    seam = proposed_seam(account_id=connection.account_id)
    assert seam is not None
    assert seam == Transaction.objects.get().at
    Connection.objects.filter(pk=connection.pk).update(history_from=seam)
    run = sync(connection)
    assert (run.posted, run.refused) == (15 + 25, 0)
