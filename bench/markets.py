"""The markets: what the feed reads, what the live process sends, and how candles lie."""

from bench import markets_candles, markets_feed, markets_live
from bench.table import Row


def rows(*, quick: bool = False) -> list[Row]:
    """Run every part and return its figures."""
    return [*markets_feed.rows(), *markets_live.rows(quick=quick), *markets_candles.rows()]
