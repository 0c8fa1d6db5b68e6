"""What a venue's public REST side says of its markets: the list of pairs, and the last 24 hours of each."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from apps.core.money import AmountError, divide, multiply, parse_amount
from apps.markets.domain.instruments import DayFigures, InstrumentName, InstrumentNameError, Listing
from apps.markets.gateways.ccxt_client import asking, forget_markets, market_client
from apps.markets.gateways.venue_errors import BadAnswerError

_MOST_DIGITS: Final = 30
_USUAL_DIGITS: Final = 8
_HUNDRED: Final = Decimal(100)
_TICKERS_COST: Final = 4.0


def fetch_listings(*, venue: str, now: datetime) -> tuple[Listing, ...]:
    """Return every spot pair that the venue lists now; one whose codes cannot stand in a name is left out."""
    forget_markets(venue)
    with market_client(venue, now=now) as client, asking(venue, now=now, calls=0.1):
        listings = tuple(_listings(venue, client.markets.values()))
        if not listings:
            raise BadAnswerError  # an exchange without a single pair is no exchange
        return listings


def fetch_day_figures(*, venue: str, now: datetime) -> tuple[DayFigures, ...]:
    """Return price, change and volume of the last 24 hours of every spot pair; nonsense is left out."""
    with market_client(venue, now=now) as client, asking(venue, now=now, calls=_TICKERS_COST):
        markets, tickers = client.markets, client.fetch_tickers()
        spot = (ticker for symbol, ticker in tickers.items() if _is_spot(markets.get(symbol)))
        return tuple(_figures(venue, spot, now=now))


def _listings(venue: str, markets: Iterable[Mapping[str, Any]]) -> Iterator[Listing]:
    for market in markets:
        if not _is_spot(market):
            continue
        try:
            name = InstrumentName.of(venue, market["symbol"])
        except InstrumentNameError:
            continue
        yield Listing(
            name=name,
            venue_symbol=str(market["id"]),
            price_digits=_digits(market["precision"]["price"]),
            amount_digits=_digits(market["precision"]["amount"]),
            active=market["active"] is not False,
        )


def _is_spot(market: Mapping[str, Any] | None) -> bool:
    return market is not None and market["spot"] is True


def _digits(step: str | None) -> int:
    """Return how many fraction digits a step such as 0.001 has; ccxt may write it as 1e-3."""
    if step is None:
        return _USUAL_DIGITS
    exponent = Decimal(step).normalize().as_tuple().exponent
    return min(_MOST_DIGITS, max(0, -int(exponent)))


def _figures(venue: str, tickers: Iterable[Mapping[str, Any]], *, now: datetime) -> Iterator[DayFigures]:
    present = int(now.timestamp() * 1000)
    for ticker in tickers:
        price = _amount(ticker["last"])
        if price is None or price <= 0:
            continue
        try:
            name = InstrumentName.of(venue, ticker["symbol"])
        except InstrumentNameError:
            continue
        percent = _amount(ticker["percentage"])
        yield DayFigures(
            name=name,
            price=price,
            change=None if percent is None else divide(percent, _HUNDRED),
            volume=_volume(ticker, price),
            ts=min(present, int(ticker["timestamp"] or present)),
        )


def _volume(ticker: Mapping[str, Any], price: Decimal) -> Decimal | None:
    in_quote = _amount(ticker["quoteVolume"])
    if in_quote is None:
        in_base = _amount(ticker["baseVolume"])
        in_quote = None if in_base is None else multiply(in_base, price)
    return None if in_quote is None or in_quote < 0 else in_quote


def _amount(text: str | None) -> Decimal | None:
    try:
        return None if text is None else parse_amount(str(text))
    except AmountError:
        return None
