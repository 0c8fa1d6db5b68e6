"""The catalog against four simulated exchanges on real sockets: lists, what faults do to them, and rates."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as django_settings

from apps.core import clock
from apps.core.errors import ProductError
from apps.markets import actions, queries
from apps.markets.domain.instruments import VENUES
from apps.markets.gateways import ccxt_client, venue_rest
from apps.markets.models import Asset, Instrument
from apps.markets.tests.factories import make_price

pytestmark = pytest.mark.django_db

BELIEVED_AFTER = timedelta(minutes=10)
LISTING_LASTS_SECONDS = 1.1


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """Run the simulator on free ports."""
    command = [sys.executable, str(django_settings.BASE_DIR / "manage.py"), "simulate", "--ports", "0,0,0,0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture
def venues(addresses: dict[str, str], settings: Any) -> Iterator[dict[str, str]]:
    """Point the product at them, and clear their faults afterwards."""
    settings.EXCHANGE_BASE_URLS = addresses
    yield addresses
    for venue, address in addresses.items():
        ccxt_client.forget_markets(venue)
        _send("DELETE", f"{address}/_sim/faults")


def _send(method: str, address: str, body: object = None) -> None:
    request = urllib.request.Request(address, method=method, data=json.dumps(body).encode() if body else None)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own
        assert answer.status == 200


def test_all_four_lists_are_read_and_every_display_currency_has_a_rate(venues: dict[str, str]) -> None:
    now = clock.now()
    done = actions.refresh_due_markets(now=now)
    assert [one.venue for one in done] == list(VENUES)
    assert min(one.listed for one in done) > 50
    assert {"CHF", "JPY", "GBP"} <= set(Asset.objects.filter(kind="fiat").values_list("symbol", flat=True))
    assert not Instrument.objects.filter(volume_usd=None, active=True).exists()
    for venue in VENUES:
        for figures in venue_rest.fetch_day_figures(venue=venue, now=now):
            make_price(str(figures.name), format(figures.price, "f"), now=now)
    for currency in ("USD", "EUR", "GBP", "CHF", "JPY", "BTC"):
        found = queries.rates(sources=["BTC", "ETH", "SOL", "USDT", "JPY"], target=currency, now=now)
        assert {rate.state for rate in found.values()} == {"priced"}
    pegged = queries.rate(source="USDT", target="USD", now=now)
    assert pegged.path
    assert pegged.value is not None
    assert abs(pegged.value - 1) < Decimal("0.3")


def test_a_delisted_pair_vanishes_and_comes_back(venues: dict[str, str]) -> None:
    now = clock.now()
    actions.refresh_markets(venue="kraken", now=now)
    _send("POST", f"{venues['kraken']}/_sim/faults", {"fault": "delist", "symbol": "SOL/USD"})
    time.sleep(LISTING_LASTS_SECONDS)
    gone = actions.refresh_markets(venue="kraken", now=now + BELIEVED_AFTER)
    row = Instrument.objects.get(venue="kraken", symbol="SOL/USD")
    assert "kraken:SOL/USD" in (*gone.vanished, *gone.changed)
    assert not row.active
    _send("DELETE", f"{venues['kraken']}/_sim/faults")
    time.sleep(LISTING_LASTS_SECONDS)
    actions.refresh_markets(venue="kraken", now=now + 2 * BELIEVED_AFTER)
    row.refresh_from_db()
    assert (row.active, row.vanished_at) == (True, None)


@pytest.mark.parametrize("fault", ["html200", "cut_json", "empty", "5xx", "429", "418", "reset"])
def test_no_fault_changes_the_list(venues: dict[str, str], fault: str) -> None:
    now = clock.now()
    actions.refresh_markets(venue="kucoin", now=now)
    before = list(Instrument.objects.values_list("symbol", "active", "missing_since").order_by("symbol"))
    _send("POST", f"{venues['kucoin']}/_sim/faults", {"fault": fault})
    with pytest.raises(ProductError) as raised:
        actions.refresh_markets(venue="kucoin", now=now + BELIEVED_AFTER)
    assert raised.value.code.startswith("venue_")
    assert list(Instrument.objects.values_list("symbol", "active", "missing_since").order_by("symbol")) == before
    _send("DELETE", f"{venues['kucoin']}/_sim/faults")
    assert actions.refresh_markets(venue="kucoin", now=now + BELIEVED_AFTER).vanished == ()
