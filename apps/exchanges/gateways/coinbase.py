"""Coinbase: fills of Advanced Trade by cursor, and every wallet's transactions, page after page as it says itself."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from apps.exchanges.domain.reading import Cursor, KeyRights, Page, Stream, StreamKey, VenueBalance, VenueRow
from apps.exchanges.gateways import answers
from apps.exchanges.gateways.adapter import Adapter
from apps.exchanges.gateways.errors import BadAnswerError
from apps.markets.actions.venue_clients import PrivateClient, Read

_FILLS_PAGE: Final = 3_000
_ACCOUNTS_PAGE: Final = 250
_WALLETS_PAGE: Final = 250
_TRANSACTIONS_PAGE: Final = 100
_MOST_PAGES: Final = 1_000

READS: Final = {
    "time": Read("v2PublicGetTime"),
    "permissions": Read("v3PrivateGetBrokerageKeyPermissions"),
    "accounts": Read("v3PrivateGetBrokerageAccounts"),
    "fills": Read("v3PrivateGetBrokerageOrdersHistoricalFills"),
    "wallets": Read("v2PrivateGetAccounts"),
    "transactions": Read("v2PrivateGetAccountsAccountIdTransactions"),
}
_KNOWN_RIGHTS: Final = frozenset({"can_view", "can_trade", "can_transfer"})


class CoinbaseSession:
    """One loan of a Coinbase key."""

    def __init__(self, client: PrivateClient) -> None:
        self._client = client
        self._wallets: dict[str, str] = {}
        self._filled: set[str] = set()

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return self._client.requests

    def account(self) -> str:
        """Return the id of the portfolio that the key belongs to."""
        return str(answers.mapping(self._client.ask("permissions")).get("portfolio_uuid") or "")

    def server_time(self) -> int:
        """Return Coinbase's clock."""
        return answers.seconds(answers.mapping(self._client.ask("time"), "data").get("epoch"))

    def rights(self) -> KeyRights:
        """Return what the key may do; transferring includes withdrawing."""
        told = answers.mapping(self._client.ask("permissions"))
        more = tuple(
            sorted(
                name for name, value in told.items() if name.startswith("can_") and value and name not in _KNOWN_RIGHTS
            )
        )
        moves = answers.flag(told, "can_transfer")
        return KeyRights(
            read=answers.flag(told, "can_view"),
            trade=answers.flag(told, "can_trade"),
            transfer=moves,
            withdraw=moves,
            unknown=more,
        )

    def balances(self) -> tuple[VenueBalance, ...]:
        """Return what is held, with what orders hold back."""
        found: list[VenueBalance] = []
        cursor = ""
        for _page in range(_MOST_PAGES):
            params = {"limit": _ACCOUNTS_PAGE, **({"cursor": cursor} if cursor else {})}
            answer = self._client.ask("accounts", params)
            for one in answers.listing(answer, "accounts"):
                found += _balance(one)
            if answers.mapping(answer).get("has_next") is not True:
                return tuple(found)
            cursor = answers.text(answer, "cursor")
        raise BadAnswerError

    # --- streams ------------------------------------------------------------------------------------------------------
    def streams(self, *, hints: Collection[str]) -> tuple[StreamKey, ...]:
        """Return the fills, and the wallets that hold something, hold money, or were named."""
        wanted = {one.asset for one in self.balances()} | {part for hint in hints for part in hint.split("/")}
        wallets = [name for name in self._known_wallets() if name.partition(":")[0] in wanted or name in self._filled]
        return StreamKey(stream=Stream.TRADES), *(StreamKey(stream=Stream.LEDGER, symbol=name) for name in wallets)

    def sweep(self) -> tuple[StreamKey, ...]:
        """Return every wallet; an emptied one has a history, too."""
        return tuple(StreamKey(stream=Stream.LEDGER, symbol=name) for name in self._known_wallets())

    def _known_wallets(self) -> Mapping[str, str]:
        """Return the ids of the wallets by their coin; a second wallet of a coin has its id behind it."""
        if self._wallets:
            return self._wallets
        after = ""
        for _page in range(_MOST_PAGES):
            params = {"limit": _WALLETS_PAGE, **({"starting_after": after} if after else {})}
            answer = self._client.ask("wallets", params)
            for one in answers.listing(answer, "data"):
                self._remember(one)
            after = _following(answer)
            if not after:
                return self._wallets
        raise BadAnswerError

    def _remember(self, one: Mapping[str, Any]) -> None:
        told = one.get("currency")
        code = answers.text(told, "code") if isinstance(told, dict) else answers.text(one, "currency")
        number = answers.text(one, "id")
        name = code if code not in self._wallets else f"{code}:{number}"
        self._wallets[name] = number
        kind = told.get("type") if isinstance(told, dict) else one.get("type")
        if kind == "fiat":
            self._filled.add(name)

    def page(self, *, key: StreamKey, cursor: Cursor | None, since_ms: int, until_ms: int) -> Page:
        """Return the next page of a stream; both are told newest first, so that only the last page completes it."""
        end = int(cursor["end"]) if cursor else until_ms
        place = str(cursor["place"]) if cursor else ""
        if key.stream is Stream.TRADES:
            rows, place = self._fills(since_ms, end, place)
        else:
            rows, place = self._transactions(key.symbol, place)
            if rows and min(row.at_ms for row in rows) < since_ms:
                place = ""  # what is older was read before
        covered = since_ms if place else end
        return Page(rows=tuple(rows), cursor={"end": end, "place": place}, covered_to_ms=covered, is_last=not place)

    def _fills(self, since_ms: int, end_ms: int, place: str) -> tuple[list[VenueRow], str]:
        params: dict[str, Any] = {"limit": _FILLS_PAGE, "end_sequence_timestamp": _iso(end_ms)}
        if since_ms:
            params["start_sequence_timestamp"] = _iso(since_ms)
        if place:
            params["cursor"] = place
        answer = self._client.ask("fills", params)
        rows = [_fill(one) for one in answers.listing(answer, "fills")]
        following = answers.mapping(answer).get("cursor") or ""
        return rows, str(following) if rows else ""

    def _transactions(self, name: str, place: str) -> tuple[list[VenueRow], str]:
        params: dict[str, Any] = {"account_id": self._known_wallets()[name], "limit": _TRANSACTIONS_PAGE}
        if place:
            params["starting_after"] = place
        answer = self._client.ask("transactions", params)
        rows = [_transaction(name, one) for one in answers.listing(answer, "data")]
        return rows, _following(answer)


def _following(answer: object) -> str:
    """Return where the next page begins, from the address that Coinbase gives of it; nothing after the last one."""
    pagination = answers.mapping(answer).get("pagination")
    uri = pagination.get("next_uri") if isinstance(pagination, dict) else None
    if not uri:
        return ""
    found = parse_qs(urlsplit(str(uri)).query).get("starting_after", [])
    if not found:
        raise BadAnswerError
    return found[0]


def _balance(one: Mapping[str, Any]) -> list[VenueBalance]:
    code = answers.text(one, "currency")
    free = answers.amount(answers.mapping(one, "available_balance"), "value")
    hold = one.get("hold")
    held = answers.amount(hold, "value") if isinstance(hold, dict) else None
    wallet = str(one.get("platform") or "").removeprefix("ACCOUNT_PLATFORM_").lower() or "spot"
    parts = ((wallet, free), (f"{wallet}_hold", held))
    return [VenueBalance(asset=code, wallet=kind, amount=amount) for kind, amount in parts if amount]


def _fill(one: Mapping[str, Any]) -> VenueRow:
    for name in ("price", "size", "commission"):
        answers.amount(one, name)
    answers.text(one, "product_id")
    number = answers.text(one, "trade_id", "entry_id")
    return answers.row(
        stream=Stream.TRADES, external_id=number, at_ms=answers.moment(one.get("trade_time")), payload=one
    )


def _transaction(name: str, one: Mapping[str, Any]) -> VenueRow:
    answers.amount(answers.mapping(one, "amount"), "amount")
    answers.text(one, "type")
    at_ms = answers.moment(one.get("created_at"))
    return answers.row(stream=Stream.LEDGER, external_id=answers.text(one, "id"), at_ms=at_ms, payload=one, symbol=name)


def _iso(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


ADAPTER: Final = Adapter(exchange="coinbase", name="Coinbase", reads=READS, session=CoinbaseSession)
