"""Each venue against its simulator on real sockets: everything is read, and its sum is the truth to the last digit."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.core import clock
from apps.exchanges.domain.normalize import held, normalize
from apps.exchanges.domain.reading import Stream, StreamKey, VenueRow
from apps.exchanges.gateways import SUPPORTED, Session, uncertified, venue
from apps.exchanges.tests.simulated import Simulated, milliseconds, pages_of, rows_of
from apps.portfolios.domain.drafts import EntryDraft, as_entry, checked_draft
from apps.portfolios.domain.movements import effect

pytestmark = pytest.mark.django_db

#: The simulated accounts were opened after this; a real one is read from the beginning.
OPENED = milliseconds(datetime(2023, 1, 1, tzinfo=UTC))
MONEY = "USD"


def streams_of(session: Session, exchange: str, coins: Iterable[str]) -> list[StreamKey]:
    """Return the streams that hold something of an account that has had these coins."""
    found = list(session.streams(hints=tuple(coins)))
    assert len(found) == len(set(found))
    assert {key.stream for key in session.sweep()} <= {key.stream for key in found}
    if exchange != "binance":
        return found
    had = {*coins}
    return [key for key in found if not key.symbol or {*key.symbol.split("/")} <= had]


def sums_of(drafts: Iterable[EntryDraft]) -> dict[str, Decimal]:
    """Return what these drafts add up to in the account."""
    return effect([as_entry(checked_draft(draft)) for draft in drafts], money=MONEY)


@pytest.mark.parametrize("exchange", SUPPORTED)
def test_what_is_read_sums_up_to_the_truth(simulated: Simulated, exchange: str) -> None:
    truth = simulated.truth(exchange, "main")
    with venue(exchange).lend(secrets=simulated.secrets(exchange, "main"), now=clock.now()) as session:
        until = milliseconds()
        keys = streams_of(session, exchange, truth["balances"])
        rows = [row for key in keys for row in rows_of(session, key, since_ms=OPENED, until_ms=until)]
        balances = held(exchange=exchange, balances=session.balances())
        assert abs(session.server_time() - milliseconds()) < 60_000
    told = normalize(exchange=exchange, rows=rows, account="Home", currency=MONEY)
    assert told.problems == ()
    assert balances == truth["balances"]
    assert sums_of(told.drafts) == truth["balances"]
    assert len([row for row in rows if row.stream is Stream.TRADES]) == truth["trades"]
    assert len({draft.external_id for draft in told.drafts}) == len(told.drafts)


@pytest.mark.parametrize("exchange", SUPPORTED)
def test_an_empty_account_is_empty_and_complete(simulated: Simulated, exchange: str) -> None:
    with venue(exchange).lend(secrets=simulated.secrets(exchange, "empty"), now=clock.now()) as session:
        until = milliseconds()
        assert session.balances() == ()
        for key in session.streams(hints=("BTC/USDT",)):
            pages = pages_of(session, key, since_ms=until - 86_400_000, until_ms=until)
            assert [page.rows for page in pages] == [()] * len(pages)


@pytest.mark.parametrize("exchange", ["coinbase", "kraken"])
def test_a_second_pass_brings_the_same_rows_and_a_late_one(simulated: Simulated, exchange: str) -> None:
    def trades() -> dict[str, VenueRow]:
        with venue(exchange).lend(secrets=simulated.secrets(exchange, "trader"), now=clock.now()) as session:
            key = StreamKey(stream=Stream.TRADES)
            return {row.external_id: row for row in rows_of(session, key, until_ms=milliseconds())}

    whole = trades()
    assert len(whole) == simulated.truth(exchange, "trader")["trades"]
    simulated.fault(exchange, "late_trade")
    early = trades()
    simulated.clear()
    assert len(early) == len(whole) - 1
    simulated.fault(exchange, "duplicate_trades")
    doubled = trades()
    simulated.clear()
    assert doubled == whole == trades()
    assert early.items() <= whole.items()


def test_a_venue_without_an_adapter_is_read_through_what_all_have(simulated: Simulated) -> None:
    adapter = uncertified.adapter_of("kraken")
    assert not adapter.certified
    assert {"rights_unverified", "no_rewards", "no_conversions"} <= {*adapter.limits}
    secrets = simulated.secrets("kraken", "trader")
    until = milliseconds()
    since = until - 400 * 86_400_000
    key = StreamKey(stream=Stream.TRADES)
    with adapter.lend(secrets=secrets, now=clock.now()) as session:
        assert session.rights().withdraw is None
        told = {row.external_id: row for row in rows_of(session, key, since_ms=since, until_ms=until)}
        balances = held(exchange="kraken", balances=session.balances())
    with venue("kraken").lend(secrets=secrets, now=clock.now()) as session:
        known = {row.external_id: row for row in rows_of(session, key, since_ms=since, until_ms=until)}
    assert balances == simulated.truth("kraken", "trader")["balances"]
    assert told.keys() == known.keys()
    read = [
        normalize(exchange=name, rows=list(rows.values()), account="Home", currency="CHF").drafts
        for name, rows in (("bitstamp", told), ("kraken", known))
    ]
    assert effect(map(as_entry, read[0]), money="CHF") == effect(map(as_entry, read[1]), money="CHF")


def test_what_nobody_can_read_is_said_so() -> None:
    with pytest.raises(LookupError):
        venue("nosuchexchange")
