"""What the world is made of, as frozen values; every amount and price is exact, as a Decimal or as its plain text."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

VENUES = ("binance", "coinbase", "kraken", "kucoin")
DAY_MS = 86_400_000
MINUTE_MS = 60_000


class Rights(StrEnum):
    """What a key may do; each word includes the ones before it."""

    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"


class Side(StrEnum):
    """Which way a trade goes, seen from the account."""

    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class Currency:
    """A coin or a fiat money as a venue lists it."""

    code: str
    name: str
    kind: str
    """crypto, stablecoin or fiat"""
    digits: int
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Market:
    """A spot market of one venue; prices and amounts are whole numbers of 10^-digits."""

    venue: str
    base: str
    quote: str
    price_digits: int
    amount_digits: int
    min_amount: str
    min_cost: str
    listed_at: int
    """milliseconds; the first candle opens here"""
    delisted_at: int | None
    """no trades from here on; the market stays in the list as halted for a day, then it is gone"""
    halted: bool = False

    @property
    def symbol(self) -> str:
        """Return the name that ccxt uses: BTC/USDT."""
        return f"{self.base}/{self.quote}"

    @property
    def price_step(self) -> str:
        """Return the smallest price change as text."""
        return plain(1, self.price_digits)

    @property
    def amount_step(self) -> str:
        """Return the smallest amount as text."""
        return plain(1, self.amount_digits)


class Candle(NamedTuple):
    """One candle; `ts` is its open time in milliseconds, amounts and prices are plain text with all their digits."""

    ts: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str
    trades: int


class Ticker(NamedTuple):
    """The last 24 hours of a market; prices and amounts are plain text."""

    symbol: str
    ts: int
    """when the last trade was, in milliseconds: unchanged means that nothing happened"""
    last: str
    last_amount: str
    last_id: int
    side: str
    bid: str
    bid_amount: str
    ask: str
    ask_amount: str
    open: str
    """24 hours ago"""
    high: str
    low: str
    volume: str
    quote_volume: str
    change: str
    """last minus open, with its sign"""
    change_fraction: str
    """change divided by open, to eight digits"""
    average: str
    """quote volume divided by volume"""
    trades: int
    open_day: str
    """at 00:00 UTC"""


class PublicTrade(NamedTuple):
    """A trade between strangers; `id` rises with time within a market."""

    id: int
    ts: int
    price: str
    amount: str
    side: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account at one venue with the one key that opens it."""

    venue: str
    label: str
    rights: Rights
    api_key: str
    api_secret: str
    passphrase: str | None
    key_kind: str
    """hmac, ec or ed25519"""


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade of an account; amount and cost exclude the fee, which leaves in addition."""

    number: int
    """rises with time within an account; binance shows it as the trade id"""
    id: str
    """in the form in which the venue writes trade ids"""
    order_id: str
    ts: int
    symbol: str
    base: str
    quote: str
    side: Side
    price: Decimal
    amount: Decimal
    cost: Decimal
    """price times amount, exactly"""
    fee: Decimal
    fee_asset: str
    maker: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """A deposit or a withdrawal; a deposit adds `amount`, a withdrawal takes `amount` and `fee`."""

    number: int
    id: str
    ts: int
    asset: str
    amount: Decimal
    fee: Decimal
    network: str
    """empty for fiat money"""
    address: str
    txid: str
    kind: str
    """crypto or fiat"""


class Deposit(Transfer):
    """Money that came in."""

    __slots__ = ()


class Withdrawal(Transfer):
    """Money that went out."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reward:
    """Income that the venue paid out: staking, earn or airdrop."""

    number: int
    id: str
    ts: int
    asset: str
    amount: Decimal
    kind: str


class WorldEvent(NamedTuple):
    """Something out of the ordinary in the history: crash, depeg, listing or delisting."""

    kind: str
    subject: str
    from_ts: int
    to_ts: int


class StartError(Exception):
    """The world cannot be made as wished; the text says what to do."""


class UnknownSymbolError(LookupError):
    """The venue does not list this market, now or at the time asked for."""


class PostedTradeError(ValueError):
    """A posted trade cannot happen; the text says why."""


def plain(value: int, digits: int) -> str:
    """Write a whole number of 10^-digits as plain decimal text with all its digits."""
    if not digits:
        return str(value)
    sign, text = ("-", str(-value)) if value < 0 else ("", str(value))
    text = text.rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}"
