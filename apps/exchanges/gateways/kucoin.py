"""KuCoin: fills of both of its systems a week at a time, transfers page by page, the ledgers of its accounts.

Fills of the high-frequency system are told pair by pair only. Its ledger tells all pairs together, so each week is
looked up there first, and only the pairs that were traded in it are asked for.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from apps.exchanges.domain.reading import Cursor, KeyRights, Page, Stream, StreamKey, VenueBalance, VenueRow
from apps.exchanges.gateways import answers
from apps.exchanges.gateways.adapter import API_KEY, API_SECRET, PASSPHRASE, Adapter
from apps.exchanges.gateways.errors import BadAnswerError
from apps.exchanges.gateways.windows import DAY_MS, Answer, Span, next_page
from apps.markets.actions.venue_clients import PrivateClient, Read

_OPENED_MS: Final = int(datetime(2019, 2, 18, tzinfo=UTC).timestamp()) * 1000
_WEEK_MS: Final = 7 * DAY_MS
_PAGE: Final = 500
_FILLS_PAGE: Final = 100
_LEDGER_PAGE: Final = 200
_FILL_AMOUNTS: Final = ("price", "size", "funds", "fee")
_TRADES_OF_LEDGER: Final = frozenset({"TRADE_EXCHANGE", "EXCHANGE", "TRADE"})
#: The ledger of the main account, a day at a time, has its own symbol among the streams.
_MAIN: Final = "main"

READS: Final = {
    "time": Read("publicGetTimestamp"),
    "key": Read("privateGetUserApiKey"),
    "accounts": Read("privateGetAccounts"),
    "fills": Read("privateGetFills"),
    "fast_fills": Read("privateGetHfFills"),
    "deposits": Read("privateGetDeposits"),
    "withdrawals": Read("privateGetWithdrawals"),
    "ledger": Read("privateGetAccountsLedgers"),
    "fast_ledger": Read("privateGetHfAccountsLedgers"),
}
_READING: Final = frozenset({"general"})
_MOVING: Final = ("transfer",)
_WITHDRAWING: Final = ("transferout", "withdraw")
_TRADING: Final = frozenset({"spot", "trade", "margin", "futures", "earn", "unified"})


class KucoinSession:
    """One loan of a KuCoin key."""

    def __init__(self, client: PrivateClient) -> None:
        self._client = client

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return self._client.requests

    def _ask(self, word: str, **params: object) -> object:
        """Return what an answer holds; without it the answer is none."""
        answer = answers.mapping(self._client.ask(word, params) if params else self._client.ask(word))
        return answers.mapping({"data": answer}, "data").get("data")

    def account(self) -> str:
        """Return KuCoin's number of the account."""
        return str(answers.mapping(self._ask("key")).get("uid") or "")

    def server_time(self) -> int:
        """Return KuCoin's clock."""
        return answers.moment(self._ask("time"))

    def rights(self) -> KeyRights:
        """Return what the key may do; a word that we do not know counts as unknown."""
        told = answers.mapping(self._ask("key"))
        words = {word.strip().lower() for word in answers.text(told, "permission").split(",") if word.strip()}
        withdraws = {word for word in words if word.startswith(_WITHDRAWING)}
        moves = {word for word in words if any(sign in word for sign in _MOVING)}
        if "transfer" in words:
            withdraws.add("transfer")  # keys of the older kind: this word meant withdrawing as well
        addresses = told.get("ipWhitelist")
        return KeyRights(
            read=bool(words & _READING),
            trade=bool(words & _TRADING),
            transfer=bool(moves),
            withdraw=bool(withdraws),
            is_bound_to_addresses=bool(addresses) if isinstance(addresses, str) else None,
            unknown=tuple(sorted(words - _READING - _TRADING - moves - withdraws)),
        )

    def balances(self) -> tuple[VenueBalance, ...]:
        """Return what lies in all accounts: main, trading, high-frequency, margin."""
        found = [
            VenueBalance(
                asset=answers.text(one, "currency"),
                wallet=answers.text(one, "type"),
                amount=answers.amount(one, "balance"),
            )
            for one in answers.listing(self._ask("accounts"))
        ]
        return tuple(one for one in found if one.amount)

    def streams(self, *, hints: Collection[str]) -> tuple[StreamKey, ...]:
        """Return the streams of the whole account."""
        del hints  # what was traded is found in the ledger
        kinds = (Stream.TRADES, Stream.DEPOSITS, Stream.WITHDRAWALS, Stream.LEDGER)
        return tuple(StreamKey(stream=kind) for kind in kinds)

    def sweep(self) -> tuple[StreamKey, ...]:
        """Return the ledger of the main account, which takes a request for every day."""
        return (StreamKey(stream=Stream.LEDGER, symbol=_MAIN),)

    def page(self, *, key: StreamKey, cursor: Cursor | None, since_ms: int, until_ms: int) -> Page:
        """Return the next page of a stream."""
        longest, ask = self._reader(key)
        span = Span(since_ms=since_ms, until_ms=until_ms, longest_ms=longest, opened_ms=_OPENED_MS)
        return next_page(span=span, cursor=cursor, ask=ask)

    def _reader(self, key: StreamKey) -> tuple[int, Callable[[int, int, Any], Answer]]:
        if key.stream is Stream.TRADES:
            return _WEEK_MS, self._trades
        if key.stream is Stream.LEDGER:
            return (DAY_MS, self._main_ledger) if key.symbol == _MAIN else (_WEEK_MS, self._fast_ledger)
        word = "deposits" if key.stream is Stream.DEPOSITS else "withdrawals"
        return 10_000 * DAY_MS, lambda start, end, place: self._transfers(word, key.stream, start, end, place)

    # --- trades -------------------------------------------------------------------------------------------------------
    def _trades(self, start: int, end: int, place: Any) -> Answer:  # noqa: ANN401 - a place in a cursor
        """Read one page of a week: the old system, then the ledger of the new one, then the pairs found there."""
        step = (place or {"step": "old"})["step"]
        if step == "old":
            return self._old_fills(start, end, int((place or {}).get("page", 1)))
        if step == "ledger":
            return self._traded_pairs(start, end, place)
        return self._new_fills(start, end, place)

    def _old_fills(self, start: int, end: int, number: int) -> Answer:
        data = self._ask("fills", startAt=start, endAt=end, pageSize=_PAGE, currentPage=number)
        rows = [_fill(one) for one in answers.listing(data, "items")]
        if number < answers.whole(answers.mapping(data), "totalPage"):
            return Answer(rows=rows, place={"step": "old", "page": number + 1})
        return Answer(rows=rows, place={"step": "ledger", "last": 0, "pairs": []})

    def _traded_pairs(self, start: int, end: int, place: Mapping[str, Any]) -> Answer:
        lines = self._ledger_lines(start, end, int(place["last"]))
        pairs = sorted({*place["pairs"], *(pair for line in lines if (pair := _pair_of(line)))})
        if len(lines) >= _LEDGER_PAGE:
            last = answers.whole(lines[-1], "id")
            return Answer(rows=(), place={"step": "ledger", "last": last, "pairs": pairs})
        return Answer(rows=(), place={"step": "new", "last": 0, "pairs": pairs} if pairs else None)

    def _new_fills(self, start: int, end: int, place: Mapping[str, Any]) -> Answer:
        pair, *others = place["pairs"]
        last = int(place["last"])
        more = {"lastId": last} if last else {}
        data = self._ask("fast_fills", symbol=pair, startAt=start, endAt=end, limit=_FILLS_PAGE, **more)
        told = answers.listing(data, "items")
        rows = [_fill(one) for one in told]
        if len(told) >= _FILLS_PAGE:
            follow = {"step": "new", "last": answers.whole(answers.mapping(data), "lastId"), "pairs": [pair, *others]}
            return Answer(rows=rows, place=follow)
        return Answer(rows=rows, place={"step": "new", "last": 0, "pairs": others} if others else None)

    # --- transfers and ledgers ----------------------------------------------------------------------------------------
    def _transfers(self, word: str, stream: Stream, start: int, end: int, place: object) -> Answer:
        number = int(str(place or 1))
        data = self._ask(word, startAt=start, endAt=end, pageSize=_PAGE, currentPage=number)
        rows = [_transfer(stream, one) for one in answers.listing(data, "items")]
        more = number < answers.whole(answers.mapping(data), "totalPage")
        return Answer(rows=rows, place=number + 1 if more else None)

    def _ledger_lines(self, start: int, end: int, last: int) -> Sequence[Mapping[str, Any]]:
        more = {"lastId": last} if last else {}
        data = self._ask("fast_ledger", startAt=start, endAt=end, limit=_LEDGER_PAGE, **more)
        return answers.listing({"data": data}, "data")

    def _fast_ledger(self, start: int, end: int, place: object) -> Answer:
        lines = self._ledger_lines(start, end, int(str(place or 0)))
        rows = [_ledger_row("", one) for one in lines]
        return Answer(rows=rows, place=answers.whole(lines[-1], "id") if len(lines) >= _LEDGER_PAGE else None)

    def _main_ledger(self, start: int, end: int, place: object) -> Answer:
        number = int(str(place or 1))
        data = self._ask("ledger", startAt=start, endAt=end, pageSize=_PAGE, currentPage=number)
        rows = [_ledger_row(_MAIN, one) for one in answers.listing(data, "items")]
        more = number < answers.whole(answers.mapping(data), "totalPage")
        return Answer(rows=rows, place=number + 1 if more else None)


def _pair_of(line: Mapping[str, Any]) -> str:
    """Return the pair that a line of the ledger comes from; nothing where it is no trade."""
    if str(line.get("bizType", "")).upper() not in _TRADES_OF_LEDGER:
        return ""
    context = line.get("context")
    try:
        told = json.loads(context) if isinstance(context, str) and context else context
    except ValueError as error:
        raise BadAnswerError from error
    return answers.text(told if isinstance(told, dict) else {}, "symbol")


def _fill(one: Mapping[str, Any]) -> VenueRow:
    for name in _FILL_AMOUNTS:
        answers.amount(one, name)
    answers.text(one, "symbol")
    at_ms = answers.moment(one.get("createdAt"))
    return answers.row(stream=Stream.TRADES, external_id=answers.text(one, "tradeId"), at_ms=at_ms, payload=one)


def _transfer(stream: Stream, one: Mapping[str, Any]) -> VenueRow:
    """Return a deposit or a withdrawal; KuCoin gives deposits no number, so theirs is made of what never changes."""
    amount, at_ms = answers.amount(one, "amount"), answers.moment(one.get("createdAt"))
    facts = "\x1f".join((answers.text(one, "currency"), str(at_ms), str(amount), str(one.get("walletTxId") or "")))
    number = str(one.get("id") or "") or f"deposit-{hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()}"
    return answers.row(stream=stream, external_id=number, at_ms=at_ms, payload=one)


def _ledger_row(symbol: str, one: Mapping[str, Any]) -> VenueRow:
    answers.amount(one, "amount")
    answers.text(one, "bizType")
    at_ms = answers.moment(one.get("createdAt"))
    return answers.row(
        stream=Stream.LEDGER, external_id=answers.text(one, "id"), at_ms=at_ms, payload=one, symbol=symbol
    )


ADAPTER: Final = Adapter(
    exchange="kucoin", name="KuCoin", reads=READS, session=KucoinSession, fields=(API_KEY, API_SECRET, PASSPHRASE)
)
