"""Any other exchange that ccxt knows, through its unified calls: read as far as it goes, and said plainly how far.

Such a venue has no code of its own and no tests here. What is missing of its history, rewards and conversions above
all, shows as a difference between the ledger and the venue's balances.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from apps.exchanges.domain.reading import Cursor, KeyRights, Page, Stream, StreamKey, VenueBalance, VenueRow
from apps.exchanges.gateways import answers
from apps.exchanges.gateways.adapter import API_KEY, API_SECRET, PASSPHRASE, Adapter
from apps.exchanges.gateways.errors import BadAnswerError
from apps.exchanges.gateways.pairs import Pair, likely_pairs, other_pairs
from apps.exchanges.gateways.windows import DAY_MS, Answer, Span, next_page
from apps.markets.actions.venue_clients import PrivateClient, Read

_LIMIT: Final = 100
#: Before this no exchange that still answers has kept a history.
_OPENED_MS: Final = 1_483_228_800_000
_USUAL_DAYS: Final = 90
_LONGEST_DAYS: Final = 3_650
_WORDS: Final = {
    "time": "fetchTime",
    "markets": "loadMarkets",
    "balances": "fetchBalance",
    "trades": "fetchMyTrades",
    "deposits": "fetchDeposits",
    "withdrawals": "fetchWithdrawals",
}
_STREAMS: Final = {
    Stream.TRADES: "trades",
    Stream.DEPOSITS: "deposits",
    Stream.WITHDRAWALS: "withdrawals",
}
_METHODS: Final = {
    "fetchTime": "fetch_time",
    "loadMarkets": "load_markets",
    "fetchBalance": "fetch_balance",
    "fetchMyTrades": "fetch_my_trades",
    "fetchDeposits": "fetch_deposits",
    "fetchWithdrawals": "fetch_withdrawals",
}
#: ccxt's sums over all coins stand among the coins of a balance.
_NO_COINS: Final = frozenset({"info", "free", "used", "total", "debt", "timestamp", "datetime"})


class UncertifiedSession:
    """One loan of a key of a venue that nobody has looked at closely."""

    def __init__(self, client: PrivateClient, facts: "Facts") -> None:
        self._client, self._facts = client, facts
        self._markets: Mapping[str, Any] | None = None

    @property
    def requests(self) -> int:
        """How many requests were made so far, as far as we see them."""
        return self._client.requests

    def account(self) -> str:
        """Return nothing: there is no common way to ask."""
        return ""

    def server_time(self) -> int:
        """Return the venue's clock, or ours where it tells none."""
        if not self._client.holds("time"):
            return int(self._client.now.timestamp() * 1000)
        return answers.moment(self._client.ask("time"))

    def rights(self) -> KeyRights:
        """Return that nothing is known: there is no common way to ask, and nobody may take that for No."""
        self.balances()
        return KeyRights(read=True, trade=None, transfer=None, withdraw=None)

    def balances(self) -> tuple[VenueBalance, ...]:
        """Return what the venue's usual account holds."""
        self._known_markets()
        told = answers.mapping(self._client.ask("balances"))
        totals = answers.mapping(told, "total")
        if "info" not in told:
            raise BadAnswerError
        coins = [code for code in totals if code not in _NO_COINS and totals[code] is not None]
        found = [VenueBalance(asset=code, wallet="spot", amount=answers.amount(totals, code)) for code in coins]
        return tuple(one for one in found if one.amount)

    def streams(self, *, hints: Collection[str]) -> tuple[StreamKey, ...]:
        """Return what can be read; trades pair by pair where the venue wants it so."""
        keys = [StreamKey(stream=kind) for kind, word in _STREAMS.items() if self._client.holds(word)]
        if not self._facts.needs_symbol or not self._client.holds("trades"):
            return tuple(keys)
        held = {one.asset for one in self.balances()}
        pairs = likely_pairs(self._pairs(), coins=held, hints=hints)
        others = [key for key in keys if key.stream is not Stream.TRADES]
        return (*others, *(StreamKey(stream=Stream.TRADES, symbol=f"{one.base}/{one.quote}") for one in pairs))

    def sweep(self) -> tuple[StreamKey, ...]:
        """Return the trades of every pair, where they are told pair by pair."""
        if not self._facts.needs_symbol or not self._client.holds("trades"):
            return ()
        return tuple(
            StreamKey(stream=Stream.TRADES, symbol=f"{one.base}/{one.quote}") for one in other_pairs(self._pairs())
        )

    def page(self, *, key: StreamKey, cursor: Cursor | None, since_ms: int, until_ms: int) -> Page:
        """Return the next page of a stream: a window of time, halved where an answer is as long as answers get."""
        self._known_markets()
        longest = self._facts.days.get(_STREAMS[key.stream], _USUAL_DAYS) * DAY_MS
        span = Span(since_ms=since_ms, until_ms=until_ms, longest_ms=longest, opened_ms=_OPENED_MS)
        return next_page(span=span, cursor=cursor, ask=self._asking(key))

    def _asking(self, key: StreamKey) -> Callable[[int, int, Any], Answer]:
        word = _STREAMS[key.stream]

        def ask(start: int, end: int, _place: Any) -> Answer:  # noqa: ANN401 - a place in a cursor
            told = answers.listing(self._client.ask(word, key.symbol or None, start, _LIMIT, {"until": end}))
            rows = [_row(key, one) for one in told]
            return Answer(rows=[row for row in rows if start <= row.at_ms <= end], is_cut=len(told) >= _LIMIT)

        return ask

    def _known_markets(self) -> Mapping[str, Any]:
        if self._markets is None:
            self._markets = answers.mapping(self._client.ask("markets"))
        return self._markets

    def _pairs(self) -> list[Pair]:
        spot = (market for market in self._known_markets().values() if market.get("spot") is True)
        return [Pair(str(one["base"]), str(one["quote"]), str(one["id"])) for one in spot]


class Facts:
    """What ccxt says a venue can do: calls, how long their windows are, and whether trades need a pair."""

    def __init__(self, exchange: str) -> None:
        # 81 MB and a second: only processes that call an exchange load it
        import ccxt

        if exchange not in ccxt.exchanges:
            raise LookupError(exchange)
        client = getattr(ccxt, exchange)()
        self.name = str(client.name)
        self.can = frozenset(word for word, call in _WORDS.items() if client.has.get(call) or call == "loadMarkets")
        self.needs_passphrase = bool(client.requiredCredentials.get("password"))
        spot = ((client.features or {}).get("spot") or {}) if isinstance(client.features, dict) else {}
        self.days = {word: _days(spot.get(_WORDS[word])) for word in _STREAMS.values()}
        trades = spot.get("fetchMyTrades") or {}
        self.needs_symbol = bool(trades.get("symbolRequired"))

    @property
    def limits(self) -> tuple[str, ...]:
        """Return what cannot be delivered, in codes."""
        missing = [f"no_{word}" for word in _STREAMS.values() if word not in self.can]
        return ("rights_unverified", "no_rewards", "no_conversions", "spot_wallet_only", *missing)


def _days(told: object) -> int:
    """Return how many days may lie between the ends of a question."""
    found = [told.get("untilDays"), told.get("daysBack")] if isinstance(told, dict) else []
    days = found[0] if found and isinstance(found[0], int) else _USUAL_DAYS
    return max(1, min(days, _LONGEST_DAYS))


@lru_cache(maxsize=64)
def adapter_of(exchange: str) -> Adapter:
    """Return the adapter of any exchange of ccxt's, or raise `LookupError`."""
    facts = Facts(exchange)
    if not {"balances"} <= facts.can:
        raise LookupError(exchange)
    return Adapter(
        exchange=exchange,
        name=facts.name,
        reads={word: Read(_METHODS[_WORDS[word]], 2.0) for word in facts.can},
        session=lambda client: UncertifiedSession(client, facts),
        fields=(API_KEY, API_SECRET, PASSPHRASE) if facts.needs_passphrase else (API_KEY, API_SECRET),
        certified=False,
        limits=facts.limits,
    )


def _row(key: StreamKey, one: Mapping[str, Any]) -> VenueRow:
    at_ms = answers.moment(one.get("timestamp"))
    number = answers.text(one, "id", "txid")
    return answers.row(stream=key.stream, external_id=number, at_ms=at_ms, payload=_plain(one), symbol=key.symbol)


def _plain(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return ccxt's own reading of a row, with the venue's beside it, every number as text."""
    return {name: str(value) if isinstance(value, float) else value for name, value in one.items()}
