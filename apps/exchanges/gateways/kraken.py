"""Kraken: trades and the ledger, fifty at a time from the oldest on; deposits and withdrawals with hash and address."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

from apps.exchanges.domain.reading import Cursor, KeyRights, Page, Stream, StreamKey, VenueBalance, VenueRow
from apps.exchanges.gateways import answers
from apps.exchanges.gateways.adapter import Adapter
from apps.exchanges.gateways.errors import BadAnswerError, PermissionMissingError, VenueRefusedError
from apps.exchanges.gateways.offsets import Counted, next_page
from apps.exchanges.gateways.pairs import Pair, pairs_of
from apps.markets.actions.venue_clients import PrivateClient, Read

_PAGE: Final = 50
_STATUS_PAGE: Final = 500
_MOST_STATUS_PAGES: Final = 20
#: A deposit is in the ledger when it is credited, and was begun up to so much earlier.
_ON_THE_WAY_MS: Final = 14 * 86_400_000
#: Kinds of ledger lines that only make sense together with the others of the same reference.
_JOINED: Final = frozenset({"spend", "receive", "sale", "conversion"})
_LEDGER_AMOUNTS: Final = ("amount", "fee")
_TRADE_AMOUNTS: Final = ("price", "cost", "fee", "vol")
_WALLETS: Final = {"S": "staking", "M": "opt_in_rewards", "F": "auto_earn", "B": "bonded_earn", "P": "parachain"}

#: `key_calls` are the points of Kraken's own counter for a key.
READS: Final = {
    "time": Read("publicGetTime"),
    "pairs": Read("publicGetAssetPairs"),
    "key": Read("privatePostGetApiKeyInfo", 1.0, 1.0),
    "balances": Read("privatePostBalanceEx", 1.0, 1.0),
    "trades": Read("privatePostTradesHistory", 1.0, 2.0),
    "ledger": Read("privatePostLedgers", 1.0, 2.0),
    "deposit": Read("privatePostDepositStatus", 1.0, 1.0),
    "withdrawal": Read("privatePostWithdrawStatus", 1.0, 1.0),
}
_NEEDED: Final = frozenset({"query-funds", "query-ledger", "query-closed-trades"})
_HARMLESS: Final = frozenset({"query-open-trades", "export-data", "access-websockets", "earn-query", "query-earn"})
_TRADING: Final = frozenset({"modify-trades", "close-trades", "cancel-trades", "create-trades", "earn-allocate"})
_WITHDRAWING: Final = "withdraw"
_MOVING: Final = ("transfer", "add-withdraw", "update-withdraw")


class KrakenSession:
    """One loan of a Kraken key."""

    def __init__(self, client: PrivateClient) -> None:
        self._client = client
        self._pairs: Mapping[str, str] | None = None

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return self._client.requests

    def account(self) -> str:
        """Return nothing: Kraken does not name the account of a key."""
        return ""

    def server_time(self) -> int:
        """Return Kraken's clock."""
        return answers.seconds(answers.mapping(self._client.ask("time"), "result").get("unixtime"))

    def rights(self) -> KeyRights:
        """Return what the key may do; a word that we do not know counts as unknown."""
        told = answers.mapping(self._client.ask("key"), "result")
        words = told.get("permissions")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise BadAnswerError
        granted = set(words)
        withdraws = {word for word in granted if word.startswith(_WITHDRAWING)}
        moves = {word for word in granted if word.startswith(_MOVING)}
        known = {*_NEEDED, *_HARMLESS, *_TRADING, "add-funds", *withdraws, *moves}
        addresses = told.get("ipAllowlist")
        return KeyRights(
            read=granted >= _NEEDED,
            trade=bool(granted & _TRADING),
            transfer=bool(moves),
            withdraw=bool(withdraws),
            is_bound_to_addresses=bool(addresses) if isinstance(addresses, list) else None,
            expires_at_ms=_expiry(told),
            unknown=tuple(sorted({*(granted - known), *(f"missing {word}" for word in _NEEDED - granted)})),
        )

    def balances(self) -> tuple[VenueBalance, ...]:
        """Return what is held; a coin that is staked or earning has a flavor behind a point."""
        told = answers.mapping(self._client.ask("balances"), "result")
        found = [
            VenueBalance(
                asset=code, wallet=_wallet(code), amount=answers.amount(answers.mapping(told, code), "balance")
            )
            for code in told
        ]
        return tuple(one for one in found if one.amount)

    def streams(self, *, hints: Collection[str]) -> tuple[StreamKey, ...]:
        """Return the two streams there are."""
        del hints  # Kraken tells all pairs together
        return StreamKey(stream=Stream.TRADES), StreamKey(stream=Stream.LEDGER)

    def sweep(self) -> tuple[StreamKey, ...]:
        """Return nothing more."""
        return ()

    def page(self, *, key: StreamKey, cursor: Cursor | None, since_ms: int, until_ms: int) -> Page:
        """Return the next page of a stream."""
        ask = partial(self._trades if key.stream is Stream.TRADES else self._ledger, since_ms)
        return next_page(cursor=cursor, since_ms=since_ms, until_ms=until_ms, size=_PAGE, ask=ask)

    # --- trades -------------------------------------------------------------------------------------------------------
    def _trades(self, since_ms: int, skipped: int, end_ms: int) -> Counted:
        answer = self._client.ask("trades", _window(since_ms, end_ms, skipped))
        told = answers.mapping(answer, "result", "trades")
        rows = [self._trade(number, answers.mapping(told, number)) for number in told]
        return Counted(rows=rows, count=answers.whole(answers.mapping(answer, "result"), "count"), told=len(told))

    def _trade(self, number: str, one: Mapping[str, Any]) -> VenueRow:
        for name in _TRADE_AMOUNTS:
            answers.amount(one, name)
        pair = self._known_pairs().get(answers.text(one, "pair"), "")
        at_ms = answers.seconds(one.get("time"))
        return answers.row(stream=Stream.TRADES, external_id=number, at_ms=at_ms, payload={**one, "_pair": pair})

    def _known_pairs(self) -> Mapping[str, str]:
        if self._pairs is None:
            known = pairs_of("kraken", self._listed_pairs, address=self._client.address, now=self._client.now)
            self._pairs = {pair.id: str(pair) for pair in known}
        return self._pairs

    def _listed_pairs(self) -> list[Pair]:
        told = answers.mapping(self._client.ask("pairs"), "result")
        found = []
        for name in told:
            one = answers.mapping(told, name)
            base, quote = answers.text(one, "base"), answers.text(one, "quote")
            found += [Pair(base, quote, one_name) for one_name in {name, answers.text(one, "altname")}]
        return found

    # --- the ledger ---------------------------------------------------------------------------------------------------
    def _ledger(self, since_ms: int, skipped: int, end_ms: int) -> Counted:
        answer = self._client.ask("ledger", _window(since_ms, end_ms, skipped))
        told = answers.mapping(answer, "result", "ledger")
        lines = [{**answers.mapping(told, number), "txid": number} for number in told]
        for line in lines:
            for name in _LEDGER_AMOUNTS:
                answers.amount(line, name)
        withheld = _withheld(lines) if skipped else 0
        if withheld == len(lines):
            withheld = 0
        rows = self._ledger_rows(lines[withheld:])
        count = answers.whole(answers.mapping(answer, "result"), "count")
        return Counted(rows=rows, count=count, told=len(told), withheld=withheld)

    def _ledger_rows(self, lines: Sequence[Mapping[str, Any]]) -> list[VenueRow]:
        joined: dict[str, list[Mapping[str, Any]]] = {}
        for line in lines:
            if _kind(line) in _JOINED:
                joined.setdefault(answers.text(line, "refid"), []).append(line)
        statuses = {word: self._statuses(word, lines) for word in ("deposit", "withdrawal")}
        rows = [_joined_row(members) for members in joined.values()]
        rows += [_single_row(line, statuses.get(_kind(line), {})) for line in lines if _kind(line) not in _JOINED]
        return sorted(rows, key=lambda row: row.at_ms)

    def _statuses(self, word: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """Return what Kraken knows of the deposits or withdrawals among these lines: hash and address."""
        times = [answers.seconds(line.get("time")) for line in lines if _kind(line) == word]
        if not times:
            return {}
        window = _window(max(0, min(times) - _ON_THE_WAY_MS), max(times) + 1_000, 0)
        found: dict[str, Mapping[str, Any]] = {}
        cursor: str = "true"
        for _page in range(_MOST_STATUS_PAGES):
            try:
                answer = self._client.ask(word, {**window, "cursor": cursor, "limit": _STATUS_PAGE})
            except (PermissionMissingError, VenueRefusedError):
                return found  # the ledger has the amounts; hash and address only help to find the other side
            told, cursor = _status_page(answer, word)
            found.update({answers.text(one, "refid"): one for one in told})
            if not cursor:
                break
        return found


def _status_page(answer: object, word: str) -> tuple[Sequence[Mapping[str, Any]], str]:
    result = answers.mapping(answer).get("result")
    if isinstance(result, list):
        return answers.listing(answer, "result"), ""
    told = (
        answers.listing(result, f"{word}s") if f"{word}s" in answers.mapping(result) else answers.listing(result, word)
    )
    return told, str(answers.mapping(result).get("next_cursor") or "")


def _window(since_ms: int, end_ms: int, skipped: int) -> dict[str, Any]:
    """Return the bounds as Kraken takes them: seconds, the first one excluded."""
    window: dict[str, Any] = {"end": _seconds(end_ms)}
    if since_ms:
        window["start"] = _seconds(since_ms - 1)
    return {**window, "ofs": skipped} if skipped else window


def _seconds(at_ms: int) -> str:
    return f"{at_ms // 1000}.{at_ms % 1000:03d}"


def _kind(line: Mapping[str, Any]) -> str:
    return str(line.get("type", "")).lower()


def _withheld(lines: Sequence[Mapping[str, Any]]) -> int:
    """Return how many of the newest lines wait for the rest of their event, which is in a newer page."""
    sizes = Counter(str(line.get("refid")) for line in lines if _kind(line) in _JOINED)
    alone = [place for place, line in enumerate(lines) if _kind(line) in _JOINED and sizes[str(line.get("refid"))] == 1]
    near = [place for place in alone if place < _PAGE // 5]
    return max(near, default=-1) + 1


def _joined_row(lines: Sequence[Mapping[str, Any]]) -> VenueRow:
    at_ms = min(answers.seconds(line.get("time")) for line in lines)
    legs = sorted(lines, key=lambda line: str(line["txid"]))
    number = answers.text(lines[0], "refid")
    return answers.row(stream=Stream.LEDGER, external_id=number, at_ms=at_ms, payload={"legs": legs})


def _single_row(line: Mapping[str, Any], statuses: Mapping[str, Mapping[str, Any]]) -> VenueRow:
    status = statuses.get(str(line.get("refid")))
    payload = {"legs": [line], **({"status": status} if status else {})}
    at_ms = answers.seconds(line.get("time"))
    return answers.row(stream=Stream.LEDGER, external_id=answers.text(line, "txid"), at_ms=at_ms, payload=payload)


def _wallet(code: str) -> str:
    flavor = code.partition(".")[2]
    if not flavor:
        return "staking" if code == "ETH2" else "spot"
    return _WALLETS.get(flavor, flavor.lower())


def _expiry(told: Mapping[str, Any]) -> int | None:
    value = str(told.get("validUntil") or "0")
    return int(Decimal(value)) * 1000 if value.isdecimal() and int(value) else None


ADAPTER: Final = Adapter(exchange="kraken", name="Kraken", reads=READS, session=KrakenSession, key_rate=(1 / 3, 15.0))
