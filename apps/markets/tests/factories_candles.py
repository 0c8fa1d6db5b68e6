"""Makes candles: walks of any length, and tables as they come from outside."""

import numpy as np

from apps.markets.domain.candles import Candles, Floats
from apps.markets.domain.timeframes import Timeframe

#: 2024-01-01 00:00 UTC.
NEW_YEAR = 1_704_067_200_000


def make_candles(
    count: int = 100, *, timeframe: Timeframe = Timeframe.H1, start: int = NEW_YEAR, seed: int = 1, price: float = 100.0
) -> Candles:
    """Make a walk of so many candles in cents, each opening where the last one closed."""
    chance = np.random.default_rng(seed)
    close = np.round(price * np.exp(np.cumsum(chance.normal(0, 0.004, count))), 2)
    opened = np.r_[np.round(price, 2), close[:-1]]
    spread = np.round(np.abs(chance.normal(0, 0.2, (2, count))), 2)
    high, low = np.round(np.maximum(opened, close) + spread[0], 2), np.round(np.minimum(opened, close) - spread[1], 2)
    ts = start + np.arange(count, dtype=np.int64) * timeframe.milliseconds
    return Candles(ts, opened, high, low, close, np.round(chance.uniform(0, 50, count), 5))


def make_table(candles: Candles) -> Floats:
    """Make the table of six columns that a source would hand in."""
    return np.column_stack([candles.ts.astype(np.float64), *candles.values])
