"""Where every coin's price goes: one walk for the market, one a sector, one a coin, from midnight to midnight.

A day is known without those before it having been computed by the minute: midnights first, then a bridge of minutes
between two of them. All prices here are logarithms of US dollars; a pair is the difference of two coins.
"""

from functools import lru_cache

import numpy as np

from apps.simulator.domain import happenings, seeds
from apps.simulator.domain.coins import COINS, CRYPTO, SECTORS, Coin, invented
from apps.simulator.domain.happenings import BEGIN_MS, CYCLE_DAYS, CYCLES
from apps.simulator.domain.seeds import Floats, Ints
from apps.simulator.domain.shapes import DAY_MS

DAYS = CYCLES * CYCLE_DAYS
MINUTES = 1440
_DAY_PART: Floats = np.linspace(0.0, 1.0, MINUTES + 1)
_MIDNIGHTS: Floats = np.asarray(BEGIN_MS + np.arange(DAYS) * float(DAY_MS), dtype=np.float64)
_GROWTH_PER_DAY = 0.00042
_GROWN_UP_DAY = 2600
# drift a day and how rough it is: rising, falling, calm, stormy
_REGIMES = ((0.0016, 0.9), (-0.0013, 1.15), (0.0, 0.55), (-0.0015, 1.8))


class Walk:
    """One source of movement: its logarithm at each midnight, and how far it strays within each day."""

    def __init__(self, seed: int, name: str, *, spread: float, pull: float, restless: float) -> None:
        source = seeds.generator(seed, "walk", name)
        clusters = np.exp(seeds.pulled_walk(0.05, source.standard_normal(DAYS) * restless) - restless**2 * 5)
        drift, rough = _regimes(source) if name == "market" else (np.zeros(DAYS), np.ones(DAYS))
        self.spread = spread * clusters * rough
        steps = source.standard_normal(DAYS) * self.spread + drift
        walk = seeds.pulled_walk(pull, steps)
        self.at: Floats = walk - (walk.mean() if drift.any() else 0.0)
        self._seed, self._name = seed, name

    def bridge(self, day: int) -> Floats:
        """Return the minutes of a day, as what they add to the straight line between two midnights."""
        source = seeds.generator(self._seed, "bridge", self._name, day)
        mood = np.repeat(np.exp(source.standard_normal(24) * 0.35), 60)
        return seeds.bridge(source, MINUTES, self.spread[day] * mood * _HOURS)


def _regimes(source: np.random.Generator) -> tuple[Floats, Floats]:
    changes = source.random(DAYS) < 1 / 55
    kinds = np.asarray(source.integers(0, len(_REGIMES), DAYS))
    kind = kinds[np.maximum.accumulate(np.where(changes, np.arange(DAYS), 0))]
    table = np.array(_REGIMES)
    return table[kind, 0], table[kind, 1]


_HOURS: Floats = np.repeat(1 + 0.35 * np.sin((np.arange(24) - 9) / 24 * 2 * np.pi), 60)


class Paths:
    """The walks of one seed, made when they are first asked for."""

    def __init__(self, seed: int, *, extra: int = 0) -> None:
        self.seed = seed
        newcomers = (cycle.newcomer.coin for cycle in happenings.cycles(seed))
        extras = (invented(seed, "extra", index) for index in range(extra))
        self.coins: dict[str, Coin] = {**{coin.code: coin for coin in (*newcomers, *extras)}, **COINS}
        self._walk = lru_cache(maxsize=None)(self._make_walk)
        self._midnights = lru_cache(maxsize=None)(self._make_midnights)
        self.midnights = lru_cache(maxsize=None)(self._make_shifted)
        wild: Ints = np.array(happenings.wild_days(seed), dtype=np.int64)
        self._wild_list = wild
        self._wild_days = frozenset(wild.tolist())
        self._hours: Floats = BEGIN_MS + wild[:, None] * float(DAY_MS) + np.arange(25.0)[None, :] * 3_600_000.0
        self._crash = lru_cache(maxsize=600)(self._make_crash)
        self._wild = lru_cache(maxsize=None)(self._make_wild)
        self._factor = lru_cache(maxsize=600 + 2 * extra)(self._make_factor)
        self.minutes = lru_cache(maxsize=600 + 2 * extra)(self._make_minutes)

    def _make_walk(self, name: str) -> Walk:
        if name == "market":
            return Walk(self.seed, name, spread=0.021, pull=1 / 420, restless=0.14)
        if name in SECTORS:
            return Walk(self.seed, name, spread=0.011, pull=1 / 200, restless=0.14)
        coin = self.coins[name]
        pull = 1 / 220 if coin.kind == CRYPTO else (0.3 if coin.kind == "stablecoin" else 1 / 300)
        return Walk(self.seed, f"coin {name}", spread=coin.own, pull=pull, restless=0.15)

    def _make_midnights(self, code: str) -> tuple[Floats, Floats]:
        """Return the logarithm of a coin's price at each midnight, happenings left out, and its daily spread."""
        coin = self.coins[code]
        own = self._walk(code)
        at, spread = np.log(coin.price) + own.at, own.spread
        if coin.kind == CRYPTO:
            market, sector = self._walk("market"), self._walk(coin.sector)
            growth = _GROWTH_PER_DAY * (np.minimum(np.arange(DAYS), _GROWN_UP_DAY) - _GROWN_UP_DAY)
            at = at + coin.beta * market.at + sector.at + growth
            spread = np.sqrt(spread**2 + (coin.beta * market.spread) ** 2 + sector.spread**2)
        return at, spread

    def _make_factor(self, name: str, day: int) -> Floats:
        return self._walk(name).bridge(day)

    def _make_shifted(self, code: str) -> Floats:
        """Return the logarithm of a coin's price at each midnight, happenings included."""
        return self._midnights(code)[0] + self._shift(code, _MIDNIGHTS)

    def _make_wild(self, code: str) -> Floats:
        """Return what happenings add within each wild day, a row a day with a point an hour."""
        return self._shift(code, self._hours.ravel()).reshape(self._hours.shape)

    def wild(self, base: str, quote: str) -> tuple[Ints, Floats]:
        """Return the wild days, and what happenings add to a pair within each, a row a day with a point an hour."""
        return self._wild_list, self._wild(base) - self._wild(quote)

    def _shift(self, code: str, times: Floats) -> Floats:
        """Return what the happenings add to a coin at some moments."""
        own = happenings.own_shift(self.seed, code, times)
        beta = self.coins[code].beta
        return own + beta * self._crash(times[0], len(times)) if beta else own

    def _make_crash(self, begin: float, count: int) -> Floats:
        """Return what the crashes add to the market, for the lists of moments that are asked for."""
        known: dict[int, Floats] = {DAYS: _MIDNIGHTS, self._hours.size: self._hours.ravel()}
        day = begin + DAY_MS * (_DAY_PART if count > 2 else np.array([0.0, 1.0]))
        return happenings.market_shift(self.seed, known.get(count, day))

    def spread(self, base: str, quote: str, first: int, last: int) -> Floats:
        """Return how far a pair strays within each of the days [first, last)."""
        one, other = self.coins[base], self.coins[quote]
        days = slice(first, last)
        spread = self._midnights(base)[1][days] ** 2 + self._midnights(quote)[1][days] ** 2
        if one.kind == other.kind == CRYPTO:  # what both share does not move their ratio
            market = self._walk("market").spread[days] ** 2
            spread = spread - market * (one.beta**2 + other.beta**2 - (one.beta - other.beta) ** 2)
        result: Floats = np.sqrt(np.maximum(spread, 1e-10))
        return result

    def _make_minutes(self, code: str, day: int) -> Floats:
        """Return the logarithm of a coin's price at the 1441 ends of the minutes of a day."""
        coin = self.coins[code]
        if coin.code == "USD":
            return np.zeros(MINUTES + 1)
        at = self._midnights(code)[0]
        path = at[day] + (at[day + 1] - at[day]) * _DAY_PART + self._factor(code, day)
        if coin.kind == CRYPTO:
            path = path + coin.beta * self._factor("market", day) + self._factor(coin.sector, day)
        if day in self._wild_days:
            return np.asarray(path + self._shift(code, BEGIN_MS + day * float(DAY_MS) + DAY_MS * _DAY_PART))
        ends = self._shift(code, _MIDNIGHTS[day : day + 2])
        return np.asarray(path + ends[0] + (ends[1] - ends[0]) * _DAY_PART)
