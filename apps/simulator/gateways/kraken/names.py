"""What Kraken calls things: XXBT for bitcoin, ZUSD for dollars, XXBTZUSD for their pair, BTC/USD on its socket."""

from apps.simulator.domain.shapes import Market

# our code: Kraken's id and its short name; what is not here is called the same everywhere
_ASSETS = {
    "BTC": ("XXBT", "XBT"),
    "ETH": ("XETH", "ETH"),
    "LTC": ("XLTC", "LTC"),
    "XRP": ("XXRP", "XRP"),
    "XLM": ("XXLM", "XLM"),
    "ETC": ("XETC", "ETC"),
    "ZEC": ("XZEC", "ZEC"),
    "XMR": ("XXMR", "XMR"),
    "MLN": ("XMLN", "MLN"),
    "DOGE": ("XXDG", "XDG"),
    "USD": ("ZUSD", "USD"),
    "EUR": ("ZEUR", "EUR"),
    "GBP": ("ZGBP", "GBP"),
    "JPY": ("ZJPY", "JPY"),
    "CAD": ("ZCAD", "CAD"),
    "AUD": ("ZAUD", "AUD"),
    "LUNC": ("LUNA", "LUNA"),
    "LUNA": ("LUNA2", "LUNA2"),
    "USTC": ("UST", "UST"),
}
_SHORT_PAIRS_ONLY = {"DOGE"}


def asset_id(code: str) -> str:
    """Return Kraken's id of an asset; a flavor such as ADA.S stays behind the short name."""
    base, dot, flavor = code.partition(".")
    return f"{short_name(base)}.{flavor}" if dot else _ASSETS.get(base, (base, base))[0]


def short_name(code: str) -> str:
    """Return Kraken's short name of an asset: XBT."""
    return _ASSETS.get(code, (code, code))[1]


def pair_id(base: str, quote: str) -> str:
    """Return the key of a pair: XXBTZUSD where both ids are of the old kind, else XBTUSDT."""
    ids = asset_id(base), asset_id(quote)
    old = all(
        len(name) == 4 and name[0] in "XZ" and name != code for name, code in zip(ids, (base, quote), strict=True)
    )
    return "".join(ids) if old and base not in _SHORT_PAIRS_ONLY else short_pair(base, quote)


def short_pair(base: str, quote: str) -> str:
    """Return the short name of a pair: XBTUSD."""
    return short_name(base) + short_name(quote)


def socket_pair(market: Market) -> str:
    """Return the name of a pair in the old socket and in the list: XBT/USD."""
    return f"{short_name(market.base)}/{short_name(market.quote)}"
