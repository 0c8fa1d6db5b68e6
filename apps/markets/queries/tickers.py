"""Tickers: the newest price of each instrument asked for, with its age, in one read of the cache."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.core.errors import FieldProblem, InvalidError
from apps.markets.domain.instruments import InstrumentName, InstrumentNameError
from apps.markets.domain.prices import STALE_AFTER_MS, Price
from apps.markets.models.catalogue import world_is_simulated
from apps.markets.queries.catalogue import known_instruments
from apps.markets.queries.prices import latest_prices

MOST_TICKERS: Final = 500


@dataclass(frozen=True, slots=True)
class Ticker:
    """The newest price of an instrument; without one yet, the price and what belongs to it is null."""

    instrument: str
    price: str | None
    change_24h: str | None
    volume_24h: str | None
    ts: int | None
    source: str | None
    age_ms: int | None
    stale: bool
    simulated: bool


def tickers(*, names: Sequence[str], now: datetime) -> list[Ticker]:
    """Return a ticker for each name, in the order given; one that is no instrument is refused by name."""
    wanted = list(dict.fromkeys(_parsed(names)))
    prices = latest_prices(instruments=[str(name) for name in wanted])
    _refuse_unknown([name for name in wanted if str(name) not in prices])
    simulated, present = world_is_simulated(), int(now.timestamp() * 1000)
    return [_ticker(str(name), prices.get(str(name)), present, simulated=simulated) for name in wanted]


def _ticker(name: str, price: Price | None, present: int, *, simulated: bool) -> Ticker:
    if price is None:
        return Ticker(name, None, None, None, None, None, None, stale=True, simulated=simulated)
    age = max(0, present - price.ts)
    return Ticker(
        name,
        price.price,
        price.change_24h,
        price.volume_24h,
        price.ts,
        price.source,
        age,
        stale=age > STALE_AFTER_MS,
        simulated=simulated,
    )


def _parsed(names: Sequence[str]) -> list[InstrumentName]:
    if not 1 <= len(names) <= MOST_TICKERS:
        raise InvalidError(
            problems=[FieldProblem("instruments", "out_of_range", f"Name 1 to {MOST_TICKERS} instruments.")]
        )
    found, problems = [], []
    for name in names:
        try:
            found.append(InstrumentName.parse(name))
        except InstrumentNameError as error:
            problems.append(FieldProblem("instruments", "invalid", f"{error.text}: {error}"))
    if problems:
        raise InvalidError(problems=problems)
    return found


def _refuse_unknown(names: Sequence[InstrumentName]) -> None:
    """Ask the tables about those without a price: a price proves that the instrument is known."""
    unknown = sorted(set(names) - known_instruments(names=names)) if names else []
    if unknown:
        message = "{} is not an instrument that is known here."
        raise InvalidError(
            problems=[FieldProblem("instruments", "unknown_instrument", message.format(name)) for name in unknown]
        )
