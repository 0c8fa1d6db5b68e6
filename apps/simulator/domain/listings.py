"""Which venue lists what, and from when until when."""

from dataclasses import dataclass
from datetime import UTC, datetime

from apps.simulator.domain import coins, happenings
from apps.simulator.domain.happenings import BEGIN_MS
from apps.simulator.domain.paths import Paths
from apps.simulator.domain.quotes import Quotes, Series
from apps.simulator.domain.replay import Replayed
from apps.simulator.domain.shapes import Currency, Market
from apps.simulator.domain.synthetic import Synthetic

_MAIN_QUOTE = {"binance": "USDT", "coinbase": "USD", "kraken": "USD", "kucoin": "USDT"}
_DIGITS = {"fiat": 2, "stablecoin": 6}


@dataclass(frozen=True, slots=True)
class Spot:
    """A pair at a venue and the time in which it is traded."""

    base: str
    quote: str
    listed_at: int
    delisted_at: int | None


def spots(seed: int, venue: str, extra: int) -> list[Spot]:
    """Return every pair that a venue lists at any time."""
    known = [_spot(venue, base, quote) for base, quote in coins.pairs(venue)]
    main = _MAIN_QUOTE[venue]
    newcomers = [
        Spot(cycle.newcomer.coin.code, main, cycle.newcomer.listed_at, cycle.newcomer.delisted_at)
        for cycle in happenings.cycles(seed)
    ]
    filling = [Spot(coins.invented(seed, "extra", index).code, main, BEGIN_MS, None) for index in range(extra)]
    return [*known, *newcomers, *filling]


def _spot(venue: str, base: str, quote: str) -> Spot:
    since = max(_midnight(coins.COINS[code].since) for code in (base, quote))
    end = coins.ENDINGS.get((venue, base))
    return Spot(base, quote, max(since, BEGIN_MS), _midnight(end) if end else None)


def _midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def currency(paths: Paths, code: str) -> Currency:
    """Return a coin as a venue lists it."""
    coin = paths.coins.get(code)
    if coin is None:  # known from recorded candles only
        return Currency(code, code, coins.CRYPTO, 8, ("Ethereum",))
    return Currency(coin.code, coin.name, coin.kind, _DIGITS.get(coin.kind, 8), coin.networks)


def synthetic_quotes(paths: Paths, venue: str, spot: Spot, ticks_per_second: float) -> Quotes:
    """Return a made-up market."""
    series = Synthetic(paths, venue, spot.base, spot.quote, span=(spot.listed_at, spot.delisted_at))
    return quotes(
        paths.seed, venue, spot, series, (series.price_digits, series.amount_digits), series.activity * ticks_per_second
    )


def quotes(
    seed: int, venue: str, spot: Spot, series: Series, digits: tuple[int, int], ticks_per_second: float
) -> Quotes:
    """Return a market over some series of bars."""
    market = Market(
        venue=venue,
        base=spot.base,
        quote=spot.quote,
        price_digits=digits[0],
        amount_digits=digits[1],
        min_amount=_least(digits[1]),
        min_cost="0.0001" if spot.quote in {"BTC", "ETH"} else "1",
        listed_at=spot.listed_at,
        delisted_at=spot.delisted_at,
    )
    count = min(max(round(60 * ticks_per_second), 4), 4000)
    return Quotes(seed, market, series, count)


def replayed_quotes(seed: int, venue: str, symbol: str, series: Replayed, ticks_per_second: float) -> Quotes:
    """Return a market that plays recorded candles."""
    base, quote = symbol.split("/")
    spot = Spot(base, quote, series.first_ms, None if series.endless else series.end_ms)
    return quotes(seed, venue, spot, series, series.digits, ticks_per_second / 2)


def _least(digits: int) -> str:
    return "1" if not digits else f"0.{'1'.rjust(digits, '0')}"
