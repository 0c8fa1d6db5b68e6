"""What each venue says when something is wrong, on real sockets: our own errors, and nothing secret in any of them."""

import traceback
from typing import Any

import pytest

from apps.core import clock
from apps.core.cache import redis_client
from apps.core.errors import ProductError
from apps.core.vault import Secret
from apps.exchanges.domain.reading import Stream, StreamKey
from apps.exchanges.gateways import SUPPORTED, Session, binance, coinbase, kraken, kucoin, venue
from apps.exchanges.gateways.errors import (
    BadAnswerError,
    CredentialsRejectedError,
    VenueBusyError,
    VenueUnavailableError,
)
from apps.exchanges.tests.simulated import Simulated, milliseconds

pytestmark = pytest.mark.django_db

EVERY = pytest.mark.parametrize("exchange", SUPPORTED)


def lent(simulated: Simulated, exchange: str, label: str = "main", **changes: str) -> Any:
    secrets = simulated.secrets(exchange, label) | {name: Secret(value) for name, value in changes.items()}
    return venue(exchange).lend(secrets=secrets, now=clock.now())


def calls(session: Session, exchange: str) -> list[Any]:
    """Return one call of each kind: balances, rights, a page of trades."""
    symbol = "BTC/USDT" if exchange == "binance" else ""
    key = StreamKey(stream=Stream.TRADES, symbol=symbol)
    until = milliseconds()
    return [
        session.balances,
        session.rights,
        lambda: session.page(key=key, cursor=None, since_ms=until - 86_400_000, until_ms=until),
    ]


@EVERY
def test_what_a_key_may_do_is_told_right(simulated: Simulated, exchange: str) -> None:
    told = {}
    for label in ("main", "trader", "treasury"):
        with lent(simulated, exchange, label) as session:
            told[label] = session.rights()
    assert [told[label].read for label in told] == [True] * 3
    assert [told[label].trade for label in told] == [False, True, True]
    assert [told[label].withdraw for label in told] == [False, False, True]
    assert [told[label].unknown for label in told] == [()] * 3


@EVERY
def test_an_answer_that_is_none_is_an_error_and_never_an_empty_account(simulated: Simulated, exchange: str) -> None:
    with lent(simulated, exchange) as session:
        for fault in ("html200", "cut_json", "empty"):
            for call in calls(session, exchange):
                redis_client().flushdb()
                simulated.fault(exchange, fault, count=1)
                with pytest.raises(BadAnswerError):
                    call()
                simulated.clear()


@EVERY
def test_a_pause_is_a_pause_and_an_outage_an_outage(simulated: Simulated, exchange: str) -> None:
    with lent(simulated, exchange) as session:
        session.server_time()
        for fault, kind in (("429", VenueBusyError), ("418", VenueBusyError), ("5xx", VenueUnavailableError)):
            simulated.fault(exchange, fault, count=1)
            with pytest.raises(kind) as caught:
                session.balances()
            assert fault != "429" or (caught.value.retry_after or 0) >= 1
            simulated.clear()


@EVERY
def test_a_revoked_key_is_known_at_once_also_after_a_success(simulated: Simulated, exchange: str) -> None:
    with lent(simulated, exchange) as session:
        session.balances()
        simulated.fault(exchange, "revoke_key")
        made = session.requests
        with pytest.raises(CredentialsRejectedError):
            session.balances()
        assert session.requests == made + 1


@EVERY
def test_another_secret_is_rejected_and_no_error_tells_a_secret(simulated: Simulated, exchange: str) -> None:
    right, other = simulated.secrets(exchange, "main"), simulated.secrets(exchange, "trader")
    mixed = {**right, "api_secret": other["api_secret"]}
    with venue(exchange).lend(secrets=mixed, now=clock.now()) as session, pytest.raises(ProductError) as caught:
        session.balances()
    assert type(caught.value) is CredentialsRejectedError
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    told = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    for secret in (*right.values(), *other.values()):
        assert secret.reveal() not in told
    assert "signature" not in told.lower().replace("invalid signature", "")


@EVERY
def test_a_clock_that_is_off_is_measured_and_the_call_made_again(simulated: Simulated, exchange: str) -> None:
    with lent(simulated, exchange) as session:
        right = session.balances()
        simulated.fault(exchange, "clock_skew", ms=-600_000)
        made = session.requests
        assert session.balances() == right
        simulated.clear()
        assert session.requests <= made + 3 + (3 if exchange == "binance" else 0)


def test_a_pem_key_is_taken_however_it_was_copied(simulated: Simulated) -> None:
    pem = simulated.secrets("coinbase", "main")["api_secret"].reveal()
    for copied in (pem.replace("\n", "\\n"), pem.replace("\n", "\r\n"), f"  {pem}  ", f'"{pem}"'):
        with lent(simulated, "coinbase", api_secret=copied) as session:
            assert session.rights().read is True
    with lent(simulated, "coinbase", "edwards") as session:
        assert session.rights().read is True
    with lent(simulated, "coinbase", api_secret="no key at all") as session, pytest.raises(CredentialsRejectedError):
        session.rights()


def test_only_reading_can_be_reached() -> None:
    """Every call is a GET, but for Kraken, which takes all by POST, and two lists of Binance's."""
    by_post = {"sapiPostAssetGetFundingAsset"}
    for module in (binance, coinbase, kucoin):
        for read in module.READS.values():
            assert "Get" in read.method
            assert "Post" not in read.method or read.method in by_post
    harmless = ("Info", "Ex", "History", "Ledgers", "Status", "Time", "Pairs")
    assert all(read.method.endswith(harmless) for read in kraken.READS.values())
