"""One pair at one venue, made up: its days, and the minutes of each, in whole steps of price and amount."""

import math

import numpy as np

from apps.simulator.domain import seeds
from apps.simulator.domain.coins import CRYPTO
from apps.simulator.domain.happenings import BEGIN_MS
from apps.simulator.domain.paths import DAYS, MINUTES, Paths
from apps.simulator.domain.seeds import Floats, Ints
from apps.simulator.domain.series import Bars, extremes, split
from apps.simulator.domain.shapes import DAY_MS, MINUTE_MS

_VENUE_SHARE = {"binance": 1.0, "coinbase": 0.35, "kraken": 0.15, "kucoin": 0.2}
_QUOTE_SHARE = {"USDT": 1.0, "USD": 1.0, "EUR": 0.12, "USDC": 0.15, "FDUSD": 0.1, "BTC": 0.06}
_MOST_DIGITS = 9
_BUSY_MILLIONS = 400.0
_MINUTE, _HOUR = np.arange(MINUTES + 1.0), np.arange(0.0, MINUTES + 1.0, 60.0)


class Synthetic:
    """The bars of a pair; the same for everybody who asks with the same seed."""

    def __init__(self, paths: Paths, venue: str, base: str, quote: str, *, span: tuple[int, int | None]) -> None:
        self._paths, self._venue, self._base, self._quote = paths, venue, base, quote
        self.listed_at, self.delisted_at = span
        one, other = paths.coins[base], paths.coins[quote]
        self.price_digits, self.amount_digits = digits_of(one.price / other.price, one.price, venue)
        share = _VENUE_SHARE[venue] * (_QUOTE_SHARE.get(quote, 0.05) if one.kind == CRYPTO else 1.0)
        self.millions = min(one.volume, 4 * other.volume if other.kind == CRYPTO else one.volume) * share
        self.activity = min(max((self.millions / _BUSY_MILLIONS) ** 0.5, 0.04), 1.0)
        calm = CRYPTO not in {one.kind, other.kind}
        self._apart = 0.00006 if calm else 0.0002 + 0.0003 * (1.0 - self.activity)
        self._against = quote if other.kind == CRYPTO else "money"  # venues see the same days
        self._ends: Floats = np.zeros(0)
        self._block = self._raw_block = -1
        self._days = self._listed = Bars.joined([])
        self._words = (venue, f"{base}/{quote}")

    def _source(self, *words: object) -> np.random.Generator:
        return seeds.generator(self._paths.seed, *self._words, *words)

    def days(self, last_day: int) -> Bars:
        """Return every day up to and with `last_day`, row 0 being the first day of the world."""
        block = _block(last_day)
        if self._block < block:
            self._listed, self._block = self._listed_days(block), block
        return self._listed.cut(0, last_day + 1)

    def _raw(self, block: int) -> Bars:
        if self._raw_block < block:
            self._days, self._raw_block = self._raw_days(block + 1), block
        return self._days

    def _listed_days(self, last_day: int) -> Bars:
        raw = self._raw(last_day)
        moments = (divmod((moment or BEGIN_MS) - BEGIN_MS, DAY_MS) for moment in (self.listed_at, self.delisted_at))
        parts = [day for day, odd in moments if odd and day <= last_day]
        days = Bars(raw.table.copy() if parts else raw.table, raw.present.copy())
        for day in parts:
            self._replace(days, day)
        days.present[: (self.listed_at - BEGIN_MS) // DAY_MS] = False
        if self.delisted_at is not None:
            days.present[-(-(self.delisted_at - BEGIN_MS) // DAY_MS) :] = False
        return days

    def _replace(self, days: Bars, day: int) -> None:
        """Make a day of which only a part was traded the sum of that part."""
        whole = self.minutes(day).whole()
        if whole is not None:
            days.put(day, whole)

    def _raw_days(self, count: int) -> Bars:
        logs = self._logs(count)
        points = np.maximum(np.rint(np.exp(logs) * 10.0**self.price_digits), 2.0).astype(np.int64)
        high, low = self._ranges(logs)
        scale = 10.0**self.price_digits
        start, end = points[:-1], points[1:]
        highs = np.maximum(np.rint(np.exp(high) * scale).astype(np.int64), np.maximum(start, end))
        lows = np.maximum(np.minimum(np.rint(np.exp(low) * scale).astype(np.int64), np.minimum(start, end)), 1)
        volume = self._volume(count, high - low)
        quote = np.rint(volume * ((start + end + highs + lows) / 4.0)).astype(np.int64)
        return Bars(np.stack((start, highs, lows, end, volume, quote)), np.ones(count, dtype=np.bool_))

    def _ranges(self, logs: Floats) -> tuple[Floats, Floats]:
        """Return how high and how low each day goes: a walk's reach, around what happens on the wild days."""
        start, end, count = logs[:-1].copy(), logs[1:].copy(), len(logs) - 1
        days, added = self._paths.wild(self._base, self._quote)
        days, added = days[days < count], added[days < count]
        start[days] -= added[:, 0]
        end[days] -= added[:, -1]
        source = seeds.generator(self._paths.seed, "range", self._base, self._against)
        high, low = extremes(source, start, end, self._paths.spread(self._base, self._quote, 0, count))
        lines = added + start[days, None] + (end - start)[days, None] * np.linspace(0.0, 1.0, added.shape[1])
        high[days] += lines.max(1) - np.maximum(start, end)[days]
        low[days] += lines.min(1) - np.minimum(start, end)[days]
        return high, low

    def _logs(self, count: int) -> Floats:
        """Return the logarithm of the pair's price at this venue at each midnight, one more than there are days."""
        away = self._ends = self._source("apart").standard_normal(count + 1) * self._apart
        middle = self._paths.midnights(self._base) - self._paths.midnights(self._quote)
        return np.asarray(middle[: count + 1] + away)

    def _volume(self, count: int, spans: Floats) -> Ints:
        mood = np.exp(seeds.pulled_walk(0.1, self._source("volume").standard_normal(count) * 0.16))
        dollars = self.millions * 1e6 * mood * (0.5 + 12.0 * np.minimum(spans, 0.25))
        coins = dollars / np.exp(self._paths.midnights(self._base)[:count])
        return np.maximum(np.rint(coins * 10.0**self.amount_digits), 64 * MINUTES).astype(np.int64)

    def minutes(self, day: int) -> Bars:
        """Return the 1440 minutes of a day; those outside the listing are absent."""
        whole = self._raw(_block(day)).bar(day)
        logs = self._paths.minutes(self._base, day) - self._paths.minutes(self._quote, day) + self._away(day)
        path = np.exp(logs) * 10.0**self.price_digits
        spread = float(self._paths.spread(self._base, self._quote, day, day + 1)[0])
        bars = split(self._source("day", day), whole, path, wander=whole.open * spread / math.sqrt(MINUTES))
        begin = BEGIN_MS + day * DAY_MS
        bars.present[: max((self.listed_at - begin) // MINUTE_MS, 0)] = False
        if self.delisted_at is not None:
            bars.present[max((self.delisted_at - begin) // MINUTE_MS, 0) :] = False
        return bars

    def _away(self, day: int) -> Floats:
        """Return how far the venue is from the others, by the minute."""
        ends = self._ends[day : day + 2]
        knots = self._source("apart", day).standard_normal(23) * self._apart
        points = np.concatenate((ends[:1], knots, ends[1:]))
        return np.asarray(np.interp(_MINUTE, _HOUR, points))


def _block(day: int) -> int:
    """Return the last day of the run of days that is computed together."""
    return min((day // 256 + 1) * 256, DAYS - 2)


def digits_of(ratio: float, price: float, venue: str) -> tuple[int, int]:
    """Return how many digits prices and amounts have."""
    size = math.ceil(math.log10(ratio))
    price_digits = (
        5 if 0.3 < ratio < 3 and price > 0.3 else min(max(5 - size, 2 if ratio < 200_000 else 0), _MOST_DIGITS)
    )
    amount_digits = max(math.floor(math.log10(price)) + 1, 0)
    if venue != "binance" and amount_digits:
        amount_digits += 1
    return price_digits, min(amount_digits, 8)
