"""Splits trading pairs: BTC-USDT, BTC/USDT, XXBTZUSD, SOLBTC."""

import re
from functools import lru_cache
from typing import Final

from apps.portfolios.domain.importing.problems import LineError, quoted
from apps.portfolios.domain.importing.reading import FIAT, asset_named

_SEPARATED: Final = re.compile(r"([^\s/_-]+)[/_-]([^\s/_-]+)")
#: What pairs without a separator end with; the longest that fits counts.
_QUOTES: Final = sorted(
    {"USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USDP", "PYUSD", "DAI", "BTC", "ETH", "BNB", "XBT", "TRX", "XRP", "DOGE"}
    | {"DOT", "SOL", "KCS", "PAX", "UST", "USD1", "ZUSD", "ZEUR", "ZGBP", "ZCAD", "ZJPY", "XXBT", "XETH", "EURI"}
    | FIAT,
    key=len,
    reverse=True,
)  # fmt: skip


@lru_cache(maxsize=4_096)
def split_pair(text: str) -> tuple[str, str]:
    """Return base and quote of a pair, or raise `LineError`."""
    pair = text.strip().upper()
    if found := _SEPARATED.fullmatch(pair):
        return asset_named(found[1]), asset_named(found[2])
    for quote in _QUOTES:
        if pair.endswith(quote) and len(pair) > len(quote):
            return asset_named(pair.removesuffix(quote)), quote
    raise LineError("pair_unknown", f"{quoted(text)} cannot be split into two coins.", field="pair")
