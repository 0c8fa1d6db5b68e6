"""The coins of the world and what each venue lists; tickers and names are facts, prices are made up around them."""

import re
from dataclasses import dataclass
from functools import lru_cache

from apps.simulator.domain import seeds

STABLE = "stablecoin"
FIAT = "fiat"
CRYPTO = "crypto"


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin and how its price moves: with the whole market, with its sector, and by itself."""

    code: str
    name: str
    kind: str
    sector: str
    price: float
    """in US dollars, what the walk is drawn to"""
    beta: float
    own: float
    """daily deviation of what is its own"""
    volume: float
    """million dollars a day at a large venue"""
    since: str
    networks: tuple[str, ...]


# code, name, sector, price, beta, own deviation in percent, volume, listed since, network
_CRYPTO = """
BTC|Bitcoin|major|68000|0.9|0.9|1500|2019-01-01|Bitcoin
ETH|Ethereum|major|2900|1.1|1.4|900|2019-01-01|Ethereum
BNB|BNB|exchange|560|0.9|1.5|180|2019-01-01|BSC
SOL|Solana|chain|150|1.4|2.6|420|2020-08-11|Solana
XRP|XRP|payment|1.9|1.1|2.6|380|2019-01-01|XRP
DOGE|Dogecoin|meme|0.17|1.3|3.4|210|2019-07-05|Dogecoin
ADA|Cardano|chain|0.62|1.2|2.3|120|2019-01-01|Cardano
AVAX|Avalanche|chain|27|1.4|2.7|75|2020-09-22|Avalanche
TRX|TRON|payment|0.21|0.7|1.7|60|2019-01-01|Tron
LINK|Chainlink|oracle|15|1.3|2.4|90|2019-01-16|Ethereum
DOT|Polkadot|chain|5.6|1.3|2.2|48|2020-08-18|Polkadot
LTC|Litecoin|payment|88|0.9|1.7|70|2019-01-01|Litecoin
BCH|Bitcoin Cash|payment|410|1.0|2.2|45|2019-11-28|Bitcoin Cash
SHIB|Shiba Inu|meme|0.000017|1.3|3.5|80|2021-05-10|Ethereum
PEPE|Pepe|meme|0.0000095|1.6|4.5|130|2023-05-05|Ethereum
UNI|Uniswap|defi|8.4|1.3|2.8|50|2020-09-17|Ethereum
AAVE|Aave|defi|155|1.3|2.8|42|2020-10-15|Ethereum
MKR|Maker|defi|1450|1.1|2.5|18|2020-07-23|Ethereum
CRV|Curve|defi|0.48|1.4|3.3|26|2020-08-15|Ethereum
LDO|Lido DAO|defi|1.3|1.5|3.2|24|2022-05-10|Ethereum
COMP|Compound|defi|48|1.2|2.7|10|2020-06-25|Ethereum
SNX|Synthetix|defi|1.4|1.3|3.1|9|2020-07-09|Ethereum
SUSHI|SushiSwap|defi|0.75|1.3|3.2|8|2020-09-01|Ethereum
YFI|yearn.finance|defi|5600|1.2|2.7|7|2020-08-10|Ethereum
ATOM|Cosmos|chain|5.2|1.2|2.3|32|2019-04-22|Cosmos
NEAR|NEAR Protocol|chain|4.1|1.4|2.9|55|2020-10-14|NEAR
APT|Aptos|chain|6.8|1.5|3.0|40|2022-10-19|Aptos
SUI|Sui|chain|2.4|1.6|3.3|110|2023-05-03|Sui
ARB|Arbitrum|layer2|0.52|1.4|2.9|44|2023-03-23|Arbitrum
OP|Optimism|layer2|1.1|1.5|3.1|38|2022-06-01|Optimism
POL|Polygon|layer2|0.34|1.3|2.6|22|2024-09-13|Polygon
MATIC|Polygon (old)|layer2|0.5|1.3|2.6|40|2019-04-26|Polygon
IMX|Immutable|game|0.95|1.5|3.1|14|2021-12-10|Ethereum
SAND|The Sandbox|game|0.31|1.4|3.0|17|2020-08-14|Ethereum
MANA|Decentraland|game|0.34|1.4|2.9|12|2020-08-06|Ethereum
AXS|Axie Infinity|game|4.4|1.4|3.0|11|2020-11-04|Ethereum
GALA|Gala|game|0.021|1.5|3.3|19|2021-09-13|Ethereum
ENJ|Enjin Coin|game|0.14|1.3|3.0|6|2019-07-18|Ethereum
FIL|Filecoin|storage|3.4|1.3|2.6|28|2020-10-15|Filecoin
AR|Arweave|storage|11|1.4|3.1|9|2021-05-14|Arweave
GRT|The Graph|oracle|0.13|1.3|2.8|14|2020-12-17|Ethereum
ICP|Internet Computer|chain|7.2|1.3|2.8|21|2021-05-10|ICP
HBAR|Hedera|chain|0.12|1.3|3.0|38|2019-09-29|Hedera
VET|VeChain|chain|0.028|1.2|2.7|12|2019-01-01|VeChain
ALGO|Algorand|chain|0.19|1.2|2.6|16|2019-06-22|Algorand
XLM|Stellar|payment|0.22|1.0|2.7|30|2019-01-01|Stellar
ETC|Ethereum Classic|chain|19|1.1|2.3|26|2019-01-01|Ethereum Classic
EOS|EOS|chain|0.6|1.1|2.4|14|2019-01-01|EOS
XTZ|Tezos|chain|0.75|1.1|2.3|8|2019-09-24|Tezos
NEO|NEO|chain|8.6|1.1|2.3|7|2019-01-01|NEO
THETA|Theta Network|chain|0.95|1.2|2.7|7|2019-05-10|Theta
EGLD|MultiversX|chain|18|1.2|2.6|6|2020-09-03|MultiversX
INJ|Injective|defi|14|1.6|3.4|32|2020-10-21|Injective
RUNE|THORChain|defi|2.3|1.5|3.3|17|2020-09-04|THORChain
FET|Artificial Superintelligence Alliance|ai|0.82|1.6|3.6|45|2019-02-28|Ethereum
RENDER|Render|ai|4.3|1.6|3.5|30|2024-07-26|Solana
TAO|Bittensor|ai|360|1.5|3.5|34|2024-04-11|Bittensor
WLD|Worldcoin|ai|1.4|1.6|3.6|36|2023-07-24|Optimism
SEI|Sei|chain|0.28|1.5|3.3|25|2023-08-15|Sei
TIA|Celestia|chain|3.9|1.6|3.4|31|2023-10-31|Celestia
JUP|Jupiter|defi|0.72|1.5|3.4|22|2024-01-31|Solana
BONK|Bonk|meme|0.000018|1.6|4.2|40|2023-12-15|Solana
WIF|dogwifhat|meme|1.2|1.7|4.5|48|2024-03-05|Solana
FLOKI|FLOKI|meme|0.00011|1.5|4.0|24|2023-05-05|BSC
ONDO|Ondo|defi|0.85|1.4|3.1|20|2024-01-18|Ethereum
PENDLE|Pendle|defi|3.8|1.5|3.4|14|2023-07-03|Ethereum
ENA|Ethena|defi|0.46|1.6|3.7|28|2024-04-02|Ethereum
STX|Stacks|layer2|1.2|1.4|3.0|15|2019-10-25|Stacks
CHZ|Chiliz|game|0.07|1.2|2.8|11|2019-08-13|Chiliz
ZEC|Zcash|privacy|52|1.0|2.6|12|2019-03-21|Zcash
DASH|Dash|privacy|32|1.0|2.4|6|2019-03-28|Dash
XMR|Monero|privacy|165|0.8|1.7|25|2019-03-15|Monero
QNT|Quant|oracle|78|1.0|2.4|7|2021-07-29|Ethereum
TON|Toncoin|chain|4.6|1.1|2.6|26|2024-08-08|TON
KCS|KuCoin Token|exchange|10|0.7|1.5|3|2019-01-01|KCC
"""
_MONEY = """
USD|US Dollar|fiat|1|0|
EUR|Euro|fiat|1.09|0.42|
GBP|Pound Sterling|fiat|1.27|0.45|
CHF|Swiss Franc|fiat|1.13|0.44|
JPY|Japanese Yen|fiat|0.0067|0.52|
USDT|Tether|stablecoin|1|0.03|Tron,Ethereum
USDC|USD Coin|stablecoin|1|0.02|Ethereum,Solana
DAI|Dai|stablecoin|1|0.03|Ethereum
FDUSD|First Digital USD|stablecoin|1|0.04|Ethereum
TUSD|TrueUSD|stablecoin|1|0.05|Ethereum
PYUSD|PayPal USD|stablecoin|1|0.03|Ethereum
"""
_BINANCE_ONLY = {"BNB"}
_KUCOIN_ONLY = {"KCS"}
_NOT_ON_COINBASE = {*_BINANCE_ONLY, *_KUCOIN_ONLY, "XMR", "TRX", "NEO", "THETA", "TON", "ENJ", "ZEC"}
_KRAKEN = (
    "BTC ETH SOL XRP DOGE ADA AVAX TRX LINK DOT LTC BCH SHIB PEPE UNI AAVE MKR CRV LDO COMP ATOM NEAR APT SUI ARB OP "
    "POL MATIC SAND MANA FIL GRT ICP ALGO XLM ETC XTZ INJ FET TAO TIA BONK WIF ONDO ZEC DASH XMR"
)
_KRAKEN_EUR = "BTC ETH SOL XRP DOGE ADA AVAX LINK DOT LTC BCH ATOM XLM XMR USDT USDC"
_CROSSES = {
    "binance": (
        "ETH/BTC BNB/BTC SOL/BTC XRP/BTC ADA/BTC LINK/BTC BNB/ETH BTC/USDC ETH/USDC SOL/USDC BTC/FDUSD ETH/FDUSD "
        "BTC/EUR ETH/EUR BNB/EUR EUR/USDT USDC/USDT FDUSD/USDT TUSD/USDT DAI/USDT BTC/DAI"
    ),
    "coinbase": (
        "BTC/USDC ETH/USDC SOL/USDC XRP/USDC BTC/EUR ETH/EUR SOL/EUR BTC/GBP ETH/GBP BTC/USDT ETH/USDT ETH/BTC "
        "LINK/BTC USDT/USD DAI/USD PYUSD/USD USDT/USDC"
    ),
    "kraken": (
        "EUR/USD GBP/USD EUR/GBP EUR/CHF EUR/JPY USD/CHF USD/JPY USDT/USD USDC/USD DAI/USD PYUSD/USD TUSD/USD "
        "USDC/USDT BTC/GBP ETH/GBP BTC/CHF ETH/CHF BTC/JPY ETH/JPY BTC/USDT ETH/USDT BTC/USDC ETH/USDC ETH/BTC SOL/BTC "
        "XRP/BTC LTC/BTC ADA/BTC DOT/BTC LINK/BTC XMR/BTC"
    ),
    "kucoin": "ETH/BTC SOL/BTC XRP/BTC KCS/BTC BTC/USDC ETH/USDC SOL/USDC USDC/USDT DAI/USDT TUSD/USDT BTC/DAI",
}
# What a venue stopped listing on a fixed day, as it was in the world outside.
ENDINGS = {
    ("binance", "MATIC"): "2024-09-10",
    ("coinbase", "MATIC"): "2024-10-14",
    ("kraken", "MATIC"): "2024-10-01",
    ("kucoin", "MATIC"): "2024-09-20",
    ("binance", "XMR"): "2024-02-20",
}


def _parse_crypto(line: str) -> Coin:
    code, name, sector, price, beta, own, volume, since, network = line.split("|")
    return Coin(
        code, name, CRYPTO, sector, float(price), float(beta), float(own) / 100, float(volume), since, (network,)
    )


def _parse_money(line: str) -> Coin:
    code, name, kind, price, own, networks = line.split("|")
    names = tuple(filter(None, networks.split(",")))
    return Coin(code, name, kind, kind, float(price), 0.0, float(own) / 100, 60.0, "2019-01-01", names)


COINS = {
    coin.code: coin
    for coin in (
        *map(_parse_crypto, _CRYPTO.strip().splitlines()),
        *map(_parse_money, _MONEY.strip().splitlines()),
    )
}
SECTORS = tuple(dict.fromkeys(coin.sector for coin in COINS.values()))


@lru_cache(maxsize=4)
def pairs(venue: str) -> tuple[tuple[str, str], ...]:
    """Return what a venue lists over the whole of time as (base, quote), without the newcomers."""
    codes = [coin.code for coin in COINS.values() if coin.kind == CRYPTO]
    if venue == "coinbase":
        main = [(code, "USD") for code in codes if code not in _NOT_ON_COINBASE]
    elif venue == "kraken":
        main = [(code, "USD") for code in _KRAKEN.split()] + [(code, "EUR") for code in _KRAKEN_EUR.split()]
    else:
        foreign = _KUCOIN_ONLY if venue == "binance" else set()
        main = [(code, "USDT") for code in codes if code not in foreign]
    crosses = (name.split("/") for name in _CROSSES[venue].split())
    return tuple(dict.fromkeys((*main, *((base, quote) for base, quote in crosses))))


_SYLLABLES = re.findall("..", "babebodadedidofafigagokakekikolalelolumamemiminanenopaporarerirorusasosatatote")
_ENDS = "xnrts"


def invented(seed: int, kind: str, index: int) -> Coin:
    """Return a coin that exists nowhere else; its index makes its code unique among those of its kind."""
    draw = seeds.number(seed, kind, index)
    count, ends = len(_SYLLABLES), len(_ENDS)
    middle = _SYLLABLES[index % count] + _ENDS[index // count % ends]
    tail = _SYLLABLES[index // (count * ends) % count] if kind == "extra" else ""
    word = _SYLLABLES[draw % count] + middle + tail
    price = 10.0 ** ((draw >> 16) % 4000 / 1000 - 2)
    sector = SECTORS[(draw >> 32) % (len(SECTORS) - 2)]
    return Coin(word.upper(), word.capitalize(), CRYPTO, sector, price, 1.3, 0.034, 6.0, "2019-01-01", ("Ethereum",))
