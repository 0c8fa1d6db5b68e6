"""What we know of assets by ourselves: names, kinds, pegs, renames; and what a code means at a place and a time."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from apps.core.money import currency

ANYWHERE: Final = ""
FIAT: Final = "fiat"
STABLECOIN: Final = "stablecoin"
CRYPTO: Final = "crypto"

FIAT_NAMES: Final = {
    "USD": "US dollar",
    "EUR": "Euro",
    "GBP": "Pound sterling",
    "CHF": "Swiss franc",
    "JPY": "Japanese yen",
    "AUD": "Australian dollar",
    "CAD": "Canadian dollar",
    "NZD": "New Zealand dollar",
    "CNY": "Chinese yuan",
    "HKD": "Hong Kong dollar",
    "SGD": "Singapore dollar",
    "KRW": "South Korean won",
    "INR": "Indian rupee",
    "BRL": "Brazilian real",
    "MXN": "Mexican peso",
    "TRY": "Turkish lira",
    "SEK": "Swedish krona",
    "NOK": "Norwegian krone",
    "DKK": "Danish krone",
    "PLN": "Polish złoty",
    "CZK": "Czech koruna",
    "HUF": "Hungarian forint",
    "RON": "Romanian leu",
    "ZAR": "South African rand",
    "AED": "UAE dirham",
    "ARS": "Argentine peso",
    "COP": "Colombian peso",
    "CLP": "Chilean peso",
    "IDR": "Indonesian rupiah",
    "THB": "Thai baht",
    "VND": "Vietnamese đồng",
    "UAH": "Ukrainian hryvnia",
    "NGN": "Nigerian naira",
}

#: Coins that promise to be worth a currency. The promise is never taken for the price.
STABLECOINS: Final = {
    "USDT": ("Tether", "USD"),
    "USDC": ("USD Coin", "USD"),
    "DAI": ("Dai", "USD"),
    "USDS": ("Sky Dollar", "USD"),
    "FDUSD": ("First Digital USD", "USD"),
    "TUSD": ("TrueUSD", "USD"),
    "USDP": ("Pax Dollar", "USD"),
    "BUSD": ("Binance USD", "USD"),
    "GUSD": ("Gemini Dollar", "USD"),
    "PYUSD": ("PayPal USD", "USD"),
    "USDE": ("Ethena USDe", "USD"),
    "RLUSD": ("Ripple USD", "USD"),
    "USD1": ("World Liberty USD", "USD"),
    "FRAX": ("Frax", "USD"),
    "LUSD": ("Liquity USD", "USD"),
    "UST": ("TerraUSD", "USD"),
    "USTC": ("TerraClassicUSD", "USD"),
    "EURC": ("Euro Coin", "EUR"),
    "EURT": ("Tether Euro", "EUR"),
    "EURI": ("Eurite", "EUR"),
    "EURS": ("Stasis Euro", "EUR"),
    "AEUR": ("Anchored Euro", "EUR"),
    "EURR": ("StablR Euro", "EUR"),
    "XSGD": ("StraitsX Singapore Dollar", "SGD"),
    "GYEN": ("GMO Japanese Yen", "JPY"),
}

COIN_NAMES: Final = {
    "BTC": "Bitcoin", "ETH": "Ethereum", "BNB": "BNB", "SOL": "Solana", "XRP": "XRP", "ADA": "Cardano",
    "DOGE": "Dogecoin", "TRX": "TRON", "AVAX": "Avalanche", "LINK": "Chainlink", "DOT": "Polkadot",
    "TON": "Toncoin", "SHIB": "Shiba Inu", "LTC": "Litecoin", "BCH": "Bitcoin Cash", "XLM": "Stellar",
    "ATOM": "Cosmos", "UNI": "Uniswap", "XMR": "Monero", "ETC": "Ethereum Classic", "HBAR": "Hedera",
    "NEAR": "NEAR Protocol", "APT": "Aptos", "SUI": "Sui", "ICP": "Internet Computer", "FIL": "Filecoin",
    "ARB": "Arbitrum", "OP": "Optimism", "POL": "Polygon", "INJ": "Injective", "VET": "VeChain",
    "ALGO": "Algorand", "AAVE": "Aave", "MKR": "Maker", "SKY": "Sky", "GRT": "The Graph", "RENDER": "Render",
    "STX": "Stacks", "IMX": "Immutable", "TIA": "Celestia", "SEI": "Sei", "THETA": "Theta Network",
    "EGLD": "MultiversX", "XTZ": "Tezos", "EOS": "EOS", "A": "Vaulta", "FLOW": "Flow", "AXS": "Axie Infinity",
    "SAND": "The Sandbox", "MANA": "Decentraland", "CHZ": "Chiliz", "GALA": "Gala", "CRV": "Curve DAO",
    "SNX": "Synthetix", "COMP": "Compound", "LDO": "Lido DAO", "RUNE": "THORChain", "KAVA": "Kava",
    "ZEC": "Zcash", "DASH": "Dash", "NEO": "Neo", "IOTA": "IOTA", "KSM": "Kusama", "MINA": "Mina", "ENJ": "Enjin Coin",
    "BAT": "Basic Attention Token", "ZRX": "0x", "1INCH": "1inch", "SUSHI": "SushiSwap", "YFI": "yearn.finance",
    "PEPE": "Pepe", "WIF": "dogwifhat", "BONK": "Bonk", "FLOKI": "FLOKI", "JUP": "Jupiter", "PYTH": "Pyth Network",
    "WLD": "Worldcoin", "FET": "Artificial Superintelligence Alliance", "TAO": "Bittensor", "ONDO": "Ondo",
    "ENA": "Ethena", "PENDLE": "Pendle", "STRK": "Starknet", "KAS": "Kaspa", "KCS": "KuCoin Token",
    "LUNA": "Terra", "LUNC": "Terra Classic", "S": "Sonic", "KAIA": "Kaia", "BEAM": "Beam", "XNO": "Nano",
    "FIRO": "Firo", "VIC": "Viction", "WBTC": "Wrapped Bitcoin", "STETH": "Lido Staked Ether", "PAXG": "PAX Gold",
    "HYPE": "Hyperliquid", "TRUMP": "Official Trump", "JTO": "Jito", "QNT": "Quant", "CAKE": "PancakeSwap",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an asset before any venue is asked."""

    name: str
    kind: str
    peg: str
    digits: int


@dataclass(frozen=True, slots=True)
class Meaning:
    """A code that means an asset, at one place or anywhere, from a moment until another."""

    place: str
    code: str
    symbol: str
    from_at: datetime | None = None
    until_at: datetime | None = None

    def holds_at(self, moment: datetime) -> bool:
        """Tell whether the code means this asset at that moment."""
        begun = self.from_at is None or self.from_at <= moment
        return begun and (self.until_at is None or moment < self.until_at)


#: One for one renames. Exchanges of several old coins for one new coin are trades, not renames, and are not here.
RENAMES: Final = (
    Meaning(ANYWHERE, "MATIC", "POL", until_at=datetime(2024, 9, 4, tzinfo=UTC)),
    Meaning(ANYWHERE, "FTM", "S", until_at=datetime(2025, 1, 13, tzinfo=UTC)),
    Meaning(ANYWHERE, "RNDR", "RENDER", until_at=datetime(2024, 7, 26, tzinfo=UTC)),
    Meaning(ANYWHERE, "KLAY", "KAIA", until_at=datetime(2024, 10, 31, tzinfo=UTC)),
    Meaning(ANYWHERE, "EOS", "A", until_at=datetime(2025, 5, 14, tzinfo=UTC)),
    Meaning(ANYWHERE, "TOMO", "VIC", until_at=datetime(2023, 11, 20, tzinfo=UTC)),
    Meaning(ANYWHERE, "XZC", "FIRO", until_at=datetime(2020, 10, 28, tzinfo=UTC)),
    Meaning(ANYWHERE, "XRB", "XNO", until_at=datetime(2018, 1, 31, tzinfo=UTC)),
    Meaning(ANYWHERE, "NANO", "XNO", until_at=datetime(2021, 11, 15, tzinfo=UTC)),
    # The ticker went on to another coin: what was LUNA before that day is LUNC now.
    Meaning(ANYWHERE, "LUNA", "LUNC", until_at=datetime(2022, 5, 28, tzinfo=UTC)),
    Meaning(ANYWHERE, "UST", "USTC", until_at=datetime(2022, 5, 28, tzinfo=UTC)),
)
_CRYPTO_DIGITS: Final = 8
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def facts_of(symbol: str) -> Facts:
    """Return what is known of a symbol; an unknown one is a coin that is called as it is written."""
    if symbol in FIAT_NAMES:
        return Facts(FIAT_NAMES[symbol], FIAT, "", _fiat_digits(symbol))
    if symbol in STABLECOINS:
        name, peg = STABLECOINS[symbol]
        return Facts(name, STABLECOIN, peg, currency(peg).digits)
    return Facts(COIN_NAMES.get(symbol, ""), CRYPTO, "", currency(symbol).digits)


def _fiat_digits(symbol: str) -> int:
    known = currency(symbol).digits
    return 2 if known == _CRYPTO_DIGITS else known


def meaning_of(
    code: str, *, place: str, at: datetime, meanings: Iterable[Meaning], symbols: Collection[str] = ()
) -> str:
    """Return the symbol of the asset that a code means at a place and a time.

    The place's own word counts before what is said everywhere, and the newer before the older. A code that has ended
    still means its last asset, unless an asset is called by it now.
    """
    known = [meaning for meaning in meanings if meaning.code == code and meaning.place in {place, ANYWHERE}]
    known.sort(key=lambda meaning: meaning.from_at or _LONG_AGO, reverse=True)
    known.sort(key=lambda meaning: meaning.place == ANYWHERE)
    holding = next((meaning for meaning in known if meaning.holds_at(at)), None)
    if holding is not None:
        return holding.symbol
    if code in symbols or code in _TAKEN_OVER:
        return code
    return _last_ended(known).symbol if known else code


def _last_ended(meanings: Sequence[Meaning]) -> Meaning:
    ended = [meaning for meaning in meanings if meaning.until_at is not None]
    return max(ended, key=lambda meaning: meaning.until_at or _LONG_AGO, default=meanings[0])


#: Tickers that another coin has taken over since they were given up.
_TAKEN_OVER: Final = frozenset({"LUNA"})
