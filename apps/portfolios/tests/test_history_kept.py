"""The kept past: what changed is lived through again, all before it stays, and the outcome is that of the whole."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.core.api.times import iso_z
from apps.markets import actions as markets
from apps.markets.domain.candles import from_rows
from apps.markets.domain.timeframes import DAY_MS, Timeframe
from apps.markets.models import Instrument
from apps.markets.models.candles import CandleSource
from apps.markets.tests.factories import make_instrument, make_price
from apps.portfolios import actions
from apps.portfolios.actions import keeping_past
from apps.portfolios.actions.keeping_past import keep_past
from apps.portfolios.models import HistoryBlock, HistoryCourse, Portfolio, Transaction
from apps.portfolios.queries.courses import BLOCK_DAYS, course_of
from apps.portfolios.queries.history import Lived, lived
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = pytest.mark.django_db

NOW = clock.now()
TODAY = int(NOW.timestamp()) // 86_400
#: The first day of a block, so that there are three whole blocks and a part of one.
FIRST = (TODAY // BLOCK_DAYS - 3) * BLOCK_DAYS
COUNT = TODAY - FIRST


@pytest.fixture
def portfolio() -> Portfolio:
    return make_default(user=make_user())


def moment(day: int, hour: int = 12) -> str:
    """Return an hour of a day since the first."""
    return iso_z(NOW.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=day - COUNT, hours=hour))


def keep_days(name: str, closes: Sequence[float | None], *, price: str) -> Instrument:
    """Make a market with closes since the first day, and its price of now."""
    instrument = make_instrument(name)
    fix_days(instrument, dict(enumerate(closes)))
    make_price(name, price)
    return instrument


def fix_days(instrument: Instrument, closes: dict[int, float | None]) -> None:
    """Store or correct closes of days since the first."""
    rows = [((FIRST + day) * DAY_MS, *[close] * 4, 1.0) for day, close in closes.items() if close is not None]
    source = CandleSource.VENUE
    markets.store_candles(
        instrument=instrument, timeframe=Timeframe.D1, candles=from_rows(rows), source=source, now=clock.now()
    )


def fill(portfolio: Portfolio) -> Instrument:
    """Make a ledger over all blocks, with days that lack a price."""
    bitcoin = keep_days("kraken:BTC/USD", [100.0 + day % 11 for day in range(COUNT)], price="120")
    dark: list[float | None] = [None if 40 <= day < 44 else 10.0 + day % 3 for day in range(COUNT)]
    keep_days("kraken:ETH/USD", dark, price="11")
    away = {"type": "transfer", "asset": "BTC", "amount": "1", "from_account": "default", "to_account": "cold"}
    post(
        portfolio,
        raw_buy(ts=moment(0), amount="3", price="100", fee="1"),
        raw_buy(ts=moment(5), asset="ETH", amount="10", price="10"),
        {**away, "ts": moment(33), "received": "0.9"},
        {"type": "split", "ts": moment(35), "asset": "ETH", "ratio": "3"},
        {"type": "income", "ts": moment(66), "asset": "ETH", "amount": "1", "kind": "staking"},
        {"type": "sell", "ts": moment(70), "asset": "BTC", "amount": "0.5", "price": "104"},
        {"type": "buy", "ts": moment(90), "asset": "NOCOIN", "amount": "5", "value": "7"},
    )
    return bitcoin


def told(portfolio: Portfolio, since: int | None = None) -> Lived:
    """Keep the past, and return it with today."""
    portfolio.refresh_from_db()
    start = None if since is None else NOW + timedelta(days=since - COUNT)
    return lived(portfolio=portfolio, now=NOW, since=start, course=keep_past(portfolio=portfolio, now=NOW))


def is_as_made_at_once(portfolio: Portfolio, since: int | None = None) -> bool:
    """Tell whether what is kept in parts is what comes out when all is lived through at once."""
    kept = told(portfolio, since)
    with_rows = rows(portfolio)
    HistoryCourse.objects.all().delete()
    HistoryBlock.objects.all().delete()
    start = None if since is None else NOW + timedelta(days=since - COUNT)
    return kept.history == lived(portfolio=portfolio, now=NOW, since=start).history and len(with_rows) > 3


def rows(portfolio: Portfolio) -> list[UUID]:
    """Return the ids of the kept blocks, oldest first."""
    return list(HistoryBlock.objects.filter(portfolio=portfolio).order_by("first_day").values_list("pk", flat=True))


def test_what_is_kept_is_what_was_lived(portfolio: Portfolio) -> None:
    fill(portfolio)
    first = told(portfolio)
    kept = rows(portfolio)
    again = told(portfolio)
    assert again.history == first.history
    assert rows(portfolio) == kept
    assert len(first.history.days) == COUNT + 2
    assert first.history.days[43].unpriced == ("ETH",)
    assert first.history.days[-1].unpriced == ("NOCOIN",)
    assert [len(kept), course_of(portfolio=portfolio, now=NOW).is_kept] == [3 + bool(COUNT % BLOCK_DAYS), True]
    for since in (None, 40, BLOCK_DAYS, COUNT):
        assert is_as_made_at_once(portfolio, since)


def test_a_late_entry_is_lived_from_its_block_on(portfolio: Portfolio) -> None:
    fill(portfolio)
    before, kept = told(portfolio), rows(portfolio)
    (entry,) = post(portfolio, raw_buy(ts=moment(50), amount="2", price="101")).ids
    after = told(portfolio)
    assert rows(portfolio)[:1] == kept[:1]
    assert not set(rows(portfolio)[1:]) & set(kept)
    assert after.history.days[:51] == before.history.days[:51]
    assert after.history.days[51].deposits == 202
    assert after.history.days[-1].value == before.history.days[-1].value + 240
    assert is_as_made_at_once(portfolio)
    told(portfolio)
    actions.reverse_transaction(user=portfolio.owner, transaction_id=entry, reason="", now=NOW)
    assert told(portfolio).history == before.history


def test_an_entry_of_today_changes_nothing_that_is_kept(portfolio: Portfolio) -> None:
    fill(portfolio)
    before, kept = told(portfolio), rows(portfolio)
    now = NOW.replace(microsecond=0) - timedelta(seconds=1)
    if int(now.timestamp()) // 86_400 == TODAY:
        post(portfolio, raw_buy(ts=iso_z(now), amount="1", price="120"))
        after = told(portfolio)
        assert after.history.days[-1].value == before.history.days[-1].value + 120
        assert after.history.days[-1].deposits == 120
    assert rows(portfolio) == kept


def test_a_corrected_price_is_lived_from_its_block_on(portfolio: Portfolio) -> None:
    bitcoin = fill(portfolio)
    before, kept = told(portfolio), rows(portfolio)
    fix_days(bitcoin, {40: 1_000.0})
    after = told(portfolio)
    assert rows(portfolio)[:1] == kept[:1]
    assert not set(rows(portfolio)[1:]) & set(kept)
    assert after.history.days[41].value > before.history.days[41].value
    assert after.history.days[42:] == before.history.days[42:]
    assert is_as_made_at_once(portfolio)


def test_a_day_that_finds_its_price_is_complete(portfolio: Portfolio) -> None:
    fill(portfolio)
    told(portfolio)
    fix_days(Instrument.objects.get(symbol="ETH/USD"), dict.fromkeys(range(40, 44), 10.0))
    assert [day.day for day in told(portfolio).history.days if "ETH" in day.unpriced] == []
    assert is_as_made_at_once(portfolio)


def test_today_moves_with_the_price_of_now(portfolio: Portfolio) -> None:
    fill(portfolio)
    before, kept = told(portfolio), rows(portfolio)
    make_price("kraken:BTC/USD", "130")
    after = told(portfolio)
    assert after.history.days[-1].value == before.history.days[-1].value + Decimal("2.4") * 10
    assert (after.history.days[:-1], rows(portfolio)) == (before.history.days[:-1], kept)


def test_the_past_does_not_wander_to_a_larger_market(portfolio: Portfolio) -> None:
    fill(portfolio)
    before, kept = told(portfolio), rows(portfolio)
    large = make_instrument("binance:BTC/USD", volume_usd="1000000000")
    fix_days(large, dict.fromkeys(range(COUNT), 500.0))
    assert told(portfolio).history.days[:-1] == before.history.days[:-1]
    assert rows(portfolio) == kept


def test_a_transfer_that_is_matched_later_belongs_to_its_first_side(portfolio: Portfolio) -> None:
    fill(portfolio)
    leg = {"type": "transfer", "asset": "BTC", "amount": "0.5"}
    sent = {**leg, "ts": moment(65), "from_account": "default", "to_account": "outside", "id": "sent"}
    came = {**leg, "ts": moment(62), "from_account": "outside", "to_account": "cold", "account": "cold", "id": "came"}
    post(portfolio, sent, came)
    told(portfolio)
    out, arrived = (Transaction.objects.get(external_id=name).pk for name in ("sent", "came"))
    actions.match_transfer(portfolio=portfolio, out_id=out, arrived_ids=[arrived], by=None, now=NOW)
    days = told(portfolio).history.days
    assert [sum(day.deposits for day in days[60:70]), sum(day.withdrawals for day in days[60:70])] == [0, 0]
    assert is_as_made_at_once(portfolio)


def test_a_new_name_of_an_account_is_used_for_all_days(portfolio: Portfolio) -> None:
    fill(portfolio)
    assert "cold" in told(portfolio).history.by_account
    account = portfolio.accounts.get(name="cold")
    actions.change_account(portfolio=portfolio, account_id=account.pk, name="Drawer")
    made = told(portfolio).history.by_account
    assert ("Drawer" in made, "cold" in made) == (True, False)


def test_who_is_late_does_not_undo_what_another_kept(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(portfolio)
    late = course_of(portfolio=portfolio, now=NOW)
    told(portfolio)
    post(portfolio, raw_buy(ts=moment(1), amount="2", price="101"))
    told(portfolio)
    kept = rows(portfolio)
    monkeypatch.setattr(keeping_past, "course_of", lambda **_asked: late)
    assert keep_past(portfolio=portfolio, now=NOW) is late
    assert rows(portfolio) == kept


def test_days_that_were_replaced_while_they_were_read_are_read_again(portfolio: Portfolio) -> None:
    fill(portfolio)
    told(portfolio)
    before = course_of(portfolio=portfolio, now=NOW)
    post(portfolio, raw_buy(ts=moment(COUNT - 1), amount="2", price="101"))
    after = told(portfolio)
    assert lived(portfolio=portfolio, now=NOW, course=before).history == after.history


def test_a_ledger_of_today_has_no_past(portfolio: Portfolio) -> None:
    make_instrument("kraken:BTC/USD")
    make_price("kraken:BTC/USD", "120")
    assert told(portfolio).history.days == ()
    post(portfolio, raw_buy(ts=iso_z(NOW), amount="2", price="100"))
    assert [day.value for day in told(portfolio).history.days] == [0, 240]
    assert rows(portfolio) == []
