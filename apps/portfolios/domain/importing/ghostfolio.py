"""Ghostfolio: activities, as CSV or as the JSON of its export. Only coins can be kept here, not shares."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from apps.core.money import multiply
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.layouts import Layout
from apps.portfolios.domain.importing.problems import LineError, quoted
from apps.portfolios.domain.importing.reading import Line, Reading, asset_named, line_by_line, unknown_kind
from apps.portfolios.domain.importing.shapes import Leg, Origin

#: CoinGecko's names of the coins that most people hold.
_COINGECKO: Final[Mapping[str, str]] = {
    "bitcoin": "BTC", "ethereum": "ETH", "tether": "USDT", "usd-coin": "USDC", "binancecoin": "BNB", "ripple": "XRP",
    "solana": "SOL", "cardano": "ADA", "dogecoin": "DOGE", "polkadot": "DOT", "matic-network": "MATIC", "tron": "TRX",
    "litecoin": "LTC", "bitcoin-cash": "BCH", "chainlink": "LINK", "avalanche-2": "AVAX", "cosmos": "ATOM",
    "stellar": "XLM", "monero": "XMR", "uniswap": "UNI", "dai": "DAI", "algorand": "ALGO", "near": "NEAR",
    "tezos": "XTZ", "shiba-inu": "SHIB", "aave": "AAVE", "ethereum-classic": "ETC", "zcash": "ZEC", "kusama": "KSM",
    "polygon-ecosystem-token": "POL", "the-open-network": "TON", "sui": "SUI", "aptos": "APT", "arbitrum": "ARB",
    "optimism": "OP", "filecoin": "FIL", "internet-computer": "ICP", "hedera-hashgraph": "HBAR", "maker": "MKR",
}  # fmt: skip
_TICKER: Final = re.compile(r"([A-Z0-9]{2,20}?)-?(USD|EUR|GBP|CHF|CAD|AUD|JPY)")


def activities_of(text: str) -> list[Mapping[str, str]] | None:
    """Return the activities of a JSON export as texts, or None where the text is no such export."""
    try:
        found = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
    activities = found.get("activities") if isinstance(found, dict) else None
    if not isinstance(activities, list) or not all(isinstance(one, dict) for one in activities):
        return None
    return [{str(name).lower(): _text(value) for name, value in one.items()} for one in activities]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def read_activity(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read an activity."""
    word, money = line.required("action", "type"), reading.asset(line, "currency")
    kind = word.lower()
    amount, price = reading.optional(line, "quantity") or Decimal(0), reading.optional(line, "price", "unitprice")
    fee, total = reading.optional(line, "fee"), multiply(amount, price or Decimal(0))
    origin = _origin(reading, line, kind, money, amount, price, fee)
    fees = (Leg(money, fee),) if fee else ()
    if kind in {"buy", "sell"}:
        coin = _coin(line)
        pair = (Leg(money, total), Leg(coin, amount)) if kind == "buy" else (Leg(coin, amount), Leg(money, total))
        return shapes.exchanged(reading, origin, *pair, fees)
    if kind in {"dividend", "interest"}:
        earned = shapes.earned(reading, origin, Leg(money, total), kind)
        return [*earned, *(shapes.charged(reading, shapes.beside(origin, "fee"), one) for one in fees)]
    if kind == "fee":
        return [shapes.charged(reading, origin, Leg(money, fee or total))]
    raise unknown_kind(word, "type")


def _coin(line: Line) -> str:
    """Return the coin that a symbol of Yahoo or CoinGecko stands for, or raise `LineError`."""
    symbol = line.required("code", "symbol")
    if symbol.lower() in _COINGECKO:
        return _COINGECKO[symbol.lower()]
    source = line.text("datasource").upper()
    found = _TICKER.fullmatch(symbol.upper())
    if found and source in {"YAHOO", ""}:
        return found[1]
    if source in {"MANUAL", "COINGECKO"} and symbol == symbol.upper():
        return asset_named(symbol, field_name="symbol")
    raise LineError("asset_unknown", f"{quoted(symbol)} is no coin that is known here.", field="symbol")


def _origin(reading: Reading, line: Line, *facts: object) -> Origin:
    at_us, account = reading.moment(line, "date"), line.text("account", "accountid") or reading.account
    symbol = line.text("code", "symbol")
    external_id = line.text("id") or reading.fingerprint(at_us, account, symbol, *facts)
    return Origin(at_us, external_id, account, note=line.text("comment", "note"))


READ: Final = line_by_line(read_activity)
LAYOUTS: Final = (
    Layout("ghostfolio", "activities", ("date", "code", "currency", "price", "quantity", "action"), READ),
    Layout("ghostfolio", "activities", ("date", "symbol", "currency", "unitprice", "quantity", "type"), READ),
    Layout("ghostfolio", "activities", ("date", "symbol", "currency", "price", "quantity", "action"), READ),
)
