"""What a venue's words mean, where ccxt's classes mislead: each with the class that ccxt really makes of them."""

import ccxt
import pytest

from apps.core.errors import ProductError
from apps.exchanges.gateways.errors import (
    BadAnswerError,
    ClockOffError,
    CredentialsRejectedError,
    PermissionMissingError,
    VenueBlockedError,
    VenueBusyError,
    VenueRefusedError,
    VenueUnavailableError,
    meaning_of,
)
from apps.markets.actions.venue_clients import Heard

CASES = [
    ("binance", ccxt.DDoSProtection, '{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}', 401,
     CredentialsRejectedError),
    ("binance", ccxt.ExchangeError, '{"code":-1008,"msg":"Server is overloaded"}', 503, VenueUnavailableError),
    ("binance", ccxt.InvalidNonce, '{"code":-1021,"msg":"Timestamp for this request is outside"}', 400, ClockOffError),
    ("binance", ccxt.DDoSProtection, '{"code":-1003,"msg":"Too much request weight used"}', 429, VenueBusyError),
    ("binance", ccxt.ExchangeNotAvailable, "<html>Service unavailable from a restricted location</html>", 451,
     VenueBlockedError),
    ("binance", ccxt.BadSymbol, '{"code":-1121,"msg":"Invalid symbol."}', 400, VenueRefusedError),
    ("binance", ccxt.ExchangeError, '{"code":-1,"msg":"order 2015 of 1021"}', 400, VenueRefusedError),
    ("kraken", ccxt.ExchangeError, '{"error":["EAPI:Invalid signature"]}', 200, CredentialsRejectedError),
    ("kraken", ccxt.ExchangeError, '{"error":["EService:Timeout"]}', 200, VenueUnavailableError),
    ("kraken", ccxt.InvalidNonce, '{"error":["EAPI:Invalid nonce"]}', 200, ClockOffError),
    ("kraken", ccxt.RateLimitExceeded, '{"error":["EAPI:Rate limit exceeded"]}', 200, VenueBusyError),
    ("kraken", ccxt.PermissionDenied, '{"error":["EGeneral:Permission denied"]}', 200, PermissionMissingError),
    ("kucoin", ccxt.ExchangeError, '{"code":"200002","msg":"Too many requests"}', 429, VenueBusyError),
    ("kucoin", ccxt.AuthenticationError, '{"code":"400006","msg":"The ip address is not in the whitelist"}', 401,
     CredentialsRejectedError),
    ("kucoin", ccxt.AuthenticationError, '{"code":"400007","msg":"Access denied"}', 403, PermissionMissingError),
    ("kucoin", ccxt.InvalidNonce, '{"code":"400002","msg":"KC-API-TIMESTAMP Invalid"}', 400, ClockOffError),
    ("coinbase", ccxt.ExchangeError, '{"error":"INTERNAL","message":"try again"}', 500, VenueUnavailableError),
    ("coinbase", ccxt.AuthenticationError, '{"errors":[{"message":"request timestamp expired"}]}', 401, ClockOffError),
    ("coinbase", ccxt.AuthenticationError, '{"errors":[{"id":"authentication_error"}]}', 401, CredentialsRejectedError),
    ("okx", ccxt.AccountSuspended, '{"code":"50112"}', 200, CredentialsRejectedError),
    ("okx", ccxt.ExchangeNotAvailable, "404 page not found", 404, VenueRefusedError),
    ("okx", ccxt.NullResponse, "", 200, BadAnswerError),
    ("okx", ccxt.RequestTimeout, "", 0, VenueUnavailableError),
]  # fmt: skip


@pytest.mark.parametrize(("exchange", "kind", "body", "status", "meaning"), CASES)
def test_the_venues_own_words_count(
    exchange: str, kind: type[Exception], body: str, status: int, meaning: type[ProductError]
) -> None:
    quoted = kind(f"{exchange} {body}")
    assert type(meaning_of(exchange, quoted, Heard(status, "7" if status == 429 else ""))) is meaning


def test_a_pause_is_as_long_as_the_venue_asks_for() -> None:
    told = meaning_of("kucoin", ccxt.ExchangeError('kucoin {"code":"200002"}'), Heard(429, "7"))
    assert told.retry_after == 7
