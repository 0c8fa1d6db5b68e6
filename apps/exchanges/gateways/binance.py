"""Binance: spot, funding and earn wallets; trades pair by pair, everything else in windows of time."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from apps.exchanges.domain.reading import Cursor, KeyRights, Page, Stream, StreamKey, VenueBalance, VenueRow
from apps.exchanges.gateways import answers
from apps.exchanges.gateways.adapter import Adapter
from apps.exchanges.gateways.errors import VenueRefusedError
from apps.exchanges.gateways.pairs import Pair, likely_pairs, other_pairs, pairs_of
from apps.exchanges.gateways.windows import DAY_MS, Answer, Span, next_page
from apps.markets.actions.venue_clients import PrivateClient, Read
from apps.portfolios.domain.importing.numbers import exact_sum

_OPENED_MS: Final = int(datetime(2017, 7, 1, tzinfo=UTC).timestamp()) * 1000
_MOST_TRADES: Final = 1_000
_MOST_TRANSFERS: Final = 1_000
_MOST_DIVIDENDS: Final = 500
_MOST_CONVERSIONS: Final = 1_000
_MOST_DUST: Final = 100
_MOST_FIAT: Final = 500
#: The fiat stream asks four lists in turn: deposits, withdrawals, purchases by card, sales to a card.
_FIAT_LISTS: Final = (("fiat_orders", "0"), ("fiat_orders", "1"), ("fiat_payments", "0"), ("fiat_payments", "1"))
_FIAT_OK: Final = "000000"

#: Costs are in calls of the address's bucket, after the weights that Binance counts.
READS: Final = {
    "time": Read("publicGetTime"),
    "pairs": Read("publicGetExchangeInfo", 2.0),
    "restrictions": Read("sapiGetAccountApiRestrictions"),
    "spot": Read("privateGetAccount", 2.0),
    "funding": Read("sapiPostAssetGetFundingAsset"),
    "flexible": Read("sapiGetSimpleEarnFlexiblePosition", 8.0),
    "locked": Read("sapiGetSimpleEarnLockedPosition", 8.0),
    "trades": Read("privateGetMyTrades", 2.5),
    "deposits": Read("sapiGetCapitalDepositHisrec"),
    "withdrawals": Read("sapiGetCapitalWithdrawHistory", 2.0),
    "dividends": Read("sapiGetAssetAssetDividend"),
    "conversions": Read("sapiGetConvertTradeFlow", 10.0),
    "dust": Read("sapiGetAssetDribblet"),
    "fiat_orders": Read("sapiGetFiatOrders", 20.0),
    "fiat_payments": Read("sapiGetFiatPayments"),
}
_TRADE_FIELDS: Final = ("price", "qty", "quoteQty", "commission")
_EARN_ROWS: Final = 100


class BinanceSession:
    """One loan of a Binance key."""

    def __init__(self, client: PrivateClient) -> None:
        self._client = client
        self._pages: Mapping[Stream, tuple[int, Callable[[int, int, Any], Answer]]] = {
            Stream.DEPOSITS: (90 * DAY_MS, self._deposits),
            Stream.WITHDRAWALS: (90 * DAY_MS, self._withdrawals),
            Stream.REWARDS: (180 * DAY_MS, self._dividends),
            Stream.CONVERSIONS: (30 * DAY_MS, self._conversions),
            Stream.DUST: (10_000 * DAY_MS, self._dust),
            Stream.FIAT: (10_000 * DAY_MS, self._fiat),
        }

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return self._client.requests

    def account(self) -> str:
        """Return Binance's number of the account."""
        return str(answers.mapping(self._client.ask("spot")).get("uid") or "")

    def server_time(self) -> int:
        """Return Binance's clock."""
        return answers.moment(answers.mapping(self._client.ask("time")).get("serverTime"))

    def rights(self) -> KeyRights:
        """Return what the key may do; a right that Binance does not name counts as unknown."""
        told = answers.mapping(self._client.ask("restrictions"))
        known = {*_TRADING, *_MOVING, *_WITHDRAWING, *_HARMLESS}
        more = tuple(sorted(name for name, value in told.items() if value is True and name not in known))
        return KeyRights(
            read=answers.flag(told, "enableReading"),
            trade=_any(told, _TRADING),
            transfer=_any(told, _MOVING),
            withdraw=_any(told, _WITHDRAWING),
            is_bound_to_addresses=answers.flag(told, "ipRestrict"),
            expires_at_ms=_expiry(told),
            unknown=more,
        )

    # --- balances -----------------------------------------------------------------------------------------------------
    def balances(self) -> tuple[VenueBalance, ...]:
        """Return spot, funding and earn; a flexible position also stands in spot as LDUSDT, and counts once."""
        earn = [*self._earn("flexible", "totalAmount"), *self._earn("locked", "amount")]
        shadows = {f"LD{one.asset}" for one in earn if one.wallet == "earn_flexible"}
        told = answers.listing(self._client.ask("spot"), "balances")
        spot = [one for one in _balances("spot", told, "free", "locked") if one.asset not in shadows]
        return tuple(one for one in (*spot, *self._funding(), *earn) if one.amount)

    def _funding(self) -> list[VenueBalance]:
        try:
            told = answers.listing(self._client.ask("funding"))
        except VenueRefusedError:
            return []  # not offered where this person lives
        return _balances("funding", told, "free", "locked", "freeze", "withdrawing")

    def _earn(self, kind: str, field: str) -> list[VenueBalance]:
        found: list[VenueBalance] = []
        for current in range(1, 1_000):
            try:
                answer = self._client.ask(kind, {"size": _EARN_ROWS, "current": current})
            except VenueRefusedError:
                return []  # not offered where this person lives
            told = answers.listing(answer, "rows")
            found += _balances(f"earn_{kind}", told, field)
            if len(told) < _EARN_ROWS:
                break
        return found

    # --- streams ------------------------------------------------------------------------------------------------------
    def streams(self, *, hints: Collection[str]) -> tuple[StreamKey, ...]:
        """Return the streams of the whole account, and the trades of every pair that is likely."""
        held = {one.asset for one in self.balances()}
        pairs = likely_pairs(self._known_pairs(), coins=held, hints=hints)
        return (*(StreamKey(stream=stream) for stream in self._pages), *map(_trades_of, pairs))

    def sweep(self) -> tuple[StreamKey, ...]:
        """Return the trades of every pair there ever was, the likely ones first."""
        return tuple(map(_trades_of, other_pairs(self._known_pairs())))

    def _known_pairs(self) -> Collection[Pair]:
        return pairs_of("binance", self._listed_pairs, address=self._client.address, now=self._client.now)

    def _listed_pairs(self) -> list[Pair]:
        told = answers.listing(self._client.ask("pairs"), "symbols")
        return [
            Pair(answers.text(one, "baseAsset"), answers.text(one, "quoteAsset"), answers.text(one, "symbol"))
            for one in told
        ]

    def page(self, *, key: StreamKey, cursor: Cursor | None, since_ms: int, until_ms: int) -> Page:
        """Return the next page of a stream."""
        if key.stream is Stream.TRADES:
            return self._trades(key.symbol, cursor, since_ms, until_ms)
        longest, ask = self._pages[key.stream]
        span = Span(since_ms=since_ms, until_ms=until_ms, longest_ms=longest, opened_ms=_OPENED_MS)
        return next_page(span=span, cursor=cursor, ask=ask)

    def _trades(self, symbol: str, cursor: Cursor | None, since_ms: int, until_ms: int) -> Page:
        """Read a thousand trades of one pair, by their numbers: none can be skipped or come twice."""
        place: dict[str, int] = {"startTime": since_ms} if since_ms else {"fromId": 0}
        if cursor:
            place = {"fromId": int(cursor["from_id"])}
        params = {"symbol": symbol.replace("/", ""), "limit": _MOST_TRADES, **place}
        told = answers.listing(self._client.ask("trades", params))
        rows = tuple(sorted((_trade(symbol, one) for one in told), key=lambda one: int(one.external_id)))
        is_last = len(rows) < _MOST_TRADES or rows[-1].at_ms > until_ms
        follow = {"from_id": int(rows[-1].external_id) + 1} if rows else dict(cursor or {"from_id": 0})
        covered = until_ms if is_last else max(since_ms, min(rows[-1].at_ms, until_ms))
        return Page(rows=rows, cursor=follow, covered_to_ms=covered, is_last=is_last)

    # --- windows of time ----------------------------------------------------------------------------------------------
    def _deposits(self, start: int, end: int, place: object) -> Answer:
        told = self._transfers("deposits", start, end, place)
        return _paged(told, place, Stream.DEPOSITS, lambda one: answers.moment(one.get("insertTime")), ("amount",))

    def _withdrawals(self, start: int, end: int, place: object) -> Answer:
        told = self._transfers("withdrawals", start, end, place)
        fields = ("amount", "transactionFee")
        return _paged(told, place, Stream.WITHDRAWALS, lambda one: answers.moment(one.get("applyTime")), fields)

    def _transfers(self, word: str, start: int, end: int, place: object) -> Sequence[Mapping[str, Any]]:
        params = {"startTime": start, "endTime": end, "limit": _MOST_TRANSFERS, "offset": int(str(place or 0))}
        return answers.listing(self._client.ask(word, params))

    def _dividends(self, start: int, end: int, _place: object) -> Answer:
        params = {"startTime": start, "endTime": end, "limit": _MOST_DIVIDENDS}
        answer = self._client.ask("dividends", params)
        told, total = answers.listing(answer, "rows"), answers.whole(answers.mapping(answer), "total")
        rows = [
            _row(
                Stream.REWARDS, one, answers.text(one, "id", "tranId"), answers.moment(one.get("divTime")), ("amount",)
            )
            for one in told
        ]
        return Answer(rows=rows, is_cut=total > len(told))

    def _conversions(self, start: int, end: int, _place: object) -> Answer:
        params = {"startTime": start, "endTime": end, "limit": _MOST_CONVERSIONS}
        answer = self._client.ask("conversions", params)
        told = answers.listing(answer, "list")
        fields = ("fromAmount", "toAmount")
        rows = [
            _row(Stream.CONVERSIONS, one, answers.text(one, "orderId"), answers.moment(one.get("createTime")), fields)
            for one in told
        ]
        return Answer(rows=rows, is_cut=answers.mapping(answer).get("moreData") is True)

    def _dust(self, start: int, end: int, _place: object) -> Answer:
        answer = self._client.ask("dust", {"startTime": start, "endTime": end})
        told, total = answers.listing(answer, "userAssetDribblets"), answers.whole(answers.mapping(answer), "total")
        rows = [_dust_row(one, part) for one in told for part in answers.listing(one, "userAssetDribbletDetails")]
        return Answer(rows=rows, is_cut=total > len(told) or len(told) >= _MOST_DUST)

    def _fiat(self, start: int, end: int, place: object) -> Answer:
        """Read one page of one of the four lists; the place is which list and which page."""
        which, number = (int(part) for part in str(place or "0:1").split(":"))
        word, kind = _FIAT_LISTS[which]
        params = {"transactionType": kind, "beginTime": start, "endTime": end, "rows": _MOST_FIAT, "page": number}
        told = answers.listing(self._client.ask(word, params), "data")
        rows = [_fiat_row(word, kind, one) for one in told]
        if len(told) >= _MOST_FIAT:
            return Answer(rows=rows, place=f"{which}:{number + 1}")
        return Answer(rows=rows, place=f"{which + 1}:1" if which + 1 < len(_FIAT_LISTS) else None)


# --- What a key may do ------------------------------------------------------------------------------------------------
_WITHDRAWING: Final = ("enableWithdrawals",)
_MOVING: Final = ("enableInternalTransfer", "permitsUniversalTransfer")
_TRADING: Final = (
    "enableSpotAndMarginTrading",
    "enableMargin",
    "enableFutures",
    "enableVanillaOptions",
    "enablePortfolioMarginTrading",
    "enableFixApiTrade",
)
_HARMLESS: Final = ("enableReading", "ipRestrict", "enableFixReadOnly")


def _any(told: Mapping[str, Any], names: Sequence[str]) -> bool | None:
    """Return whether one of these rights is given; None where none is, and one of them is not told."""
    flags = [answers.flag(told, name) for name in names]
    if True in flags:
        return True
    return False if flags[0] is False and all(flag is not True for flag in flags) else None


def _expiry(told: Mapping[str, Any]) -> int | None:
    value = told.get("tradingAuthorityExpirationTime")
    return value if isinstance(value, int) and value > 0 else None


# --- Rows -------------------------------------------------------------------------------------------------------------
def _trades_of(pair: Pair) -> StreamKey:
    return StreamKey(stream=Stream.TRADES, symbol=str(pair))


def _balances(wallet: str, told: Sequence[Mapping[str, Any]], *fields: str) -> list[VenueBalance]:
    """Return what is held; the first field must be there, the others count where they are."""
    found = []
    for one in told:
        parts = [answers.amount(one, fields[0])] + [answers.amount(one, name) for name in fields[1:] if name in one]
        found.append(VenueBalance(asset=answers.text(one, "asset"), wallet=wallet, amount=exact_sum(parts)))
    return found


def _trade(symbol: str, one: Mapping[str, Any]) -> VenueRow:
    if answers.flag(one, "isBuyer") is None:
        answers.text({}, "isBuyer")
    answers.text(one, "commissionAsset")
    at_ms = answers.moment(one.get("time"))
    return _row(Stream.TRADES, one, str(answers.whole(one, "id")), at_ms, _TRADE_FIELDS, symbol=symbol)


def _paged(
    told: Sequence[Mapping[str, Any]],
    place: object,
    stream: Stream,
    moment: Callable[[Mapping[str, Any]], int],
    fields: tuple[str, ...],
) -> Answer:
    rows = [_row(stream, one, answers.text(one, "id", "txId"), moment(one), fields) for one in told]
    more = int(str(place or 0)) + len(told) if len(told) >= _MOST_TRANSFERS else None
    return Answer(rows=rows, place=more)


def _dust_row(one: Mapping[str, Any], part: Mapping[str, Any]) -> VenueRow:
    """Return one coin of a cleaning up; all coins of one cleaning share its number."""
    at_ms = answers.moment(part.get("operateTime") or one.get("operateTime"))
    transaction = answers.text(part, "transId") if "transId" in part else answers.text(one, "transId")
    number = f"{transaction}:{answers.text(part, 'fromAsset')}"
    return _row(Stream.DUST, part, number, at_ms, ("amount", "transferedAmount"))


def _fiat_row(word: str, kind: str, one: Mapping[str, Any]) -> VenueRow:
    at_ms = answers.moment(one.get("createTime"))
    payload = {**one, "_list": word, "_type": kind}
    fields = ("amount", "totalFee") if word == "fiat_orders" else ("sourceAmount", "obtainAmount")
    return _row(Stream.FIAT, payload, answers.text(one, "orderNo"), at_ms, fields)


def _row(
    stream: Stream,
    one: Mapping[str, Any],
    number: str,
    at_ms: int,
    fields: tuple[str, ...],
    symbol: str = "",
) -> VenueRow:
    """Return a row whose amounts are exact numbers."""
    for name in fields:
        answers.amount(one, name)
    return answers.row(stream=stream, external_id=number, at_ms=at_ms, payload=one, symbol=symbol)


ADAPTER: Final = Adapter(exchange="binance", name="Binance", reads=READS, session=BinanceSession)
