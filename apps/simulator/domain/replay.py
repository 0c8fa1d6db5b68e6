"""Candles that were recorded, played as one market's history and present."""

from dataclasses import dataclass

from apps.simulator.domain.quotes import Quotes


@dataclass(frozen=True, slots=True)
class Replayed:
    """One market's recorded candles."""

    def quotes(self, seed: int, venue: str, symbol: str, ticks_per_second: float) -> Quotes:
        """Return the market that plays them."""
        raise NotImplementedError
