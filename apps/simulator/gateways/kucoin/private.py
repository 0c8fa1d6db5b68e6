"""KuCoin's signed REST: accounts by type, trades a week at a time, pages of transfers, ledgers, the key."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from zlib import crc32

import orjson
from aiohttp import web

from apps.simulator.domain.shapes import DAY_MS, Account, Fill, Rights, Transfer, Withdrawal
from apps.simulator.gateways.figures import short
from apps.simulator.gateways.kucoin import books
from apps.simulator.gateways.kucoin.public import data, number
from apps.simulator.gateways.kucoin.signing import refuse, signed
from apps.simulator.gateways.venue import Venue

_WEEK_MS = 7 * DAY_MS
_PERMISSIONS = {
    Rights.READ: "General",
    Rights.TRADE: "General, Spot",
    Rights.WITHDRAW: "General, Spot, InnerTransfer, TransferOut",
}
Body = dict[str, object]


class PrivateDoor:
    """The paths that need a signature."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.desk = venue.desk
        self._books = books.Books(venue.desk)

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the signed paths."""
        get = self.venue.get
        return [
            get("/api/ua/v1/account/mode", self.mode),
            get("/api/v1/hf/accounts/opened", self.high_frequency),
            get("/api/v3/margin/symbols", self.no_margin),
            get("/api/v1/isolated/symbols", self.no_isolated),
            get("/api/v1/user/api-key", self.key_info),
            get("/api/v1/accounts", self.accounts),
            get("/api/v1/accounts/ledgers", self.classic_ledger),
            get("/api/v1/hf/accounts/ledgers", self.fast_ledger),
            get("/api/v1/fills", self.classic_fills),
            get("/api/v1/hf/fills", self.fast_fills),
            get("/api/v1/deposits", self.deposits),
            get("/api/v1/withdrawals", self.withdrawals),
            get("/api/v1/hist-deposits", self.empty_page),
            get("/api/v1/hist-withdrawals", self.empty_page),
        ]

    async def mode(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return data({"selfAccountMode": "CLASSIC"})

    async def high_frequency(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return data(body=True)

    async def no_margin(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return data({"timestamp": self.desk.now(), "items": []})

    async def no_isolated(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return data([])

    async def empty_page(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return data(_page([], request.query))

    async def key_info(self, request: web.Request) -> web.Response:
        account = await signed(request, self.desk)
        body = {
            "remark": account.label,
            "apiKey": account.api_key,
            "apiVersion": 2,
            "permission": _PERMISSIONS[account.rights],
            "ipWhitelist": "",
            "createdAt": 1700000000000,
            "uid": 100_000_000 + crc32(account.label.encode()) % 100_000_000,
            "isMaster": True,
        }
        return data(body)

    async def accounts(self, request: web.Request) -> web.Response:
        account = await signed(request, self.desk)
        wanted, currency = request.query.get("type"), request.query.get("currency")
        rows = [
            _balance(account, kind, asset, amount)
            for asset, total in self.desk.balances(account).items()
            for kind, amount in books.split(total).items()
            if wanted in {None, kind} and currency in {None, asset}
        ]
        return data(rows)

    async def classic_fills(self, request: web.Request) -> web.Response:
        account = await signed(request, self.desk)
        found = self._fills(account, request.query, classic=True)
        return data(_page([_fill(fill) for fill in found], request.query))

    async def fast_fills(self, request: web.Request) -> web.Response:
        account = await signed(request, self.desk)
        if not request.query.get("symbol"):
            raise refuse(400, "400100", "symbol cannot be empty")
        last = number(request.query, "lastId")
        limit = min(number(request.query, "limit") or 20, 100)
        found = self._fills(account, request.query, classic=False)
        page = [fill for fill in found if last in {None, 0} or fill.number < (last or 0)][:limit]
        items = [_fill(fill) | _fast(fill) for fill in page]
        return data({"items": items, "lastId": page[-1].number if page else last or 0})

    def _fills(self, account: Account, query: Mapping[str, str], *, classic: bool) -> list[Fill]:
        """Return the trades of one system within the asked week, newest first."""
        start, end = self._window(query, _WEEK_MS)
        symbol, side = query.get("symbol", ""), query.get("side", "")
        return [
            fill
            for fill in reversed(self.desk.fills(account))
            if books.is_classic(fill) is classic
            and start <= fill.ts <= end
            and symbol in {"", f"{fill.base}-{fill.quote}"}
            and side in {"", str(fill.side)}
        ]

    async def deposits(self, request: web.Request) -> web.Response:
        account = await signed(request, self.desk)
        found = self._transfers(self.desk.deposits(account), request.query)
        return data(_page([_transfer(item) for item in found], request.query))

    async def withdrawals(self, request: web.Request) -> web.Response:
        account = await signed(request, self.desk)
        found = self._transfers(self.desk.withdrawals(account), request.query)
        return data(_page([_transfer(item) for item in found], request.query))

    def _transfers(self, items: Sequence[Transfer], query: Mapping[str, str]) -> list[Transfer]:
        start, end = number(query, "startAt") or 0, number(query, "endAt") or self.desk.now()
        currency = query.get("currency", "")
        return [item for item in reversed(items) if start <= item.ts <= end and currency in {"", item.asset}]

    async def classic_ledger(self, request: web.Request) -> web.Response:
        account = await signed(request, self.desk)
        found = self._ledger(account, request.query, DAY_MS, fast=False)
        return data(_page([_ledger_row(row, "MAIN") for row in found], request.query))

    async def fast_ledger(self, request: web.Request) -> web.Response:
        account = await signed(request, self.desk)
        last = number(request.query, "lastId")
        limit = min(number(request.query, "limit") or 100, 200)
        found = self._ledger(account, request.query, _WEEK_MS, fast=True)
        page = [row for row in found if last in {None, 0} or row.number < (last or 0)][:limit]
        return data([_ledger_row(row, "TRADE_HF") for row in page])

    def _ledger(self, account: Account, query: Mapping[str, str], window: int, *, fast: bool) -> list[books.Row]:
        start, end = self._window(query, window)
        wanted = {name for name in query.get("currency", "").split(",") if name}
        direction = query.get("direction", "")
        return [
            row
            for row in reversed(self._books.rows(account))
            if row.high_frequency is fast
            and start <= row.ts <= end
            and (not wanted or row.asset in wanted)
            and direction in {"", _direction(row.amount)}
        ]

    def _window(self, query: Mapping[str, str], longest: int) -> tuple[int, int]:
        """Return the asked span; one end alone reaches as far as a span may, none asks for the latest."""
        start, end = number(query, "startAt"), number(query, "endAt")
        if start is None:
            end = self.desk.now() if end is None else end
            start = end - longest
        elif end is None:
            end = start + longest
        if end - start > longest:
            raise refuse(400, "400100", f"The time range cannot exceed {longest // DAY_MS * 24} hours.")
        return start, end


def _page(items: Sequence[object], query: Mapping[str, str]) -> Body:
    size = min(max(number(query, "pageSize") or 50, 10), 500)
    page = max(number(query, "currentPage") or 1, 1)
    return {
        "currentPage": page,
        "pageSize": size,
        "totalNum": len(items),
        "totalPage": -(-len(items) // size),
        "items": items[(page - 1) * size : page * size],
    }


def _balance(account: Account, kind: str, asset: str, amount: Decimal) -> Body:
    return {
        "id": books.hex_id(account.label, kind, asset),
        "currency": asset,
        "type": kind,
        "balance": short(amount),
        "available": short(amount),
        "holds": "0",
    }


def _fill(fill: Fill) -> Body:
    rate = short(f"{fill.fee / fill.cost:.8f}") if fill.cost and fill.fee_asset == fill.quote else "0.001"
    return {
        "symbol": f"{fill.base}-{fill.quote}",
        "tradeId": fill.id,
        "orderId": fill.order_id,
        "counterOrderId": books.hex_id("counter", fill.order_id),
        "side": str(fill.side),
        "liquidity": "maker" if fill.maker else "taker",
        "forceTaker": False,
        "price": short(fill.price),
        "size": short(fill.amount),
        "funds": short(fill.cost),
        "fee": short(fill.fee),
        "feeRate": rate,
        "feeCurrency": fill.fee_asset,
        "stop": "",
        "tradeType": "TRADE",
        "type": "limit" if fill.maker else "market",
        "createdAt": fill.ts,
    }


def _fast(fill: Fill) -> Body:
    return {"id": fill.number, "tax": "0", "taxRate": "0"}


def _transfer(item: Transfer) -> Body:
    body: Body = {
        "currency": item.asset,
        "chain": item.network.lower(),
        "status": "SUCCESS",
        "address": item.address,
        "memo": "",
        "isInner": False,
        "amount": short(item.amount),
        "fee": short(item.fee),
        "walletTxId": item.txid,
        "createdAt": item.ts,
        "updatedAt": item.ts + 60_000,
        "remark": "",
        "arrears": False,
    }
    return {"id": item.id} | body if isinstance(item, Withdrawal) else body


def _direction(amount: Decimal) -> str:
    return "out" if amount < 0 else "in"


def _ledger_row(row: books.Row, account_type: str) -> Body:
    return {
        "id": str(row.number),
        "currency": row.asset,
        "amount": short(row.amount.copy_abs()),
        "fee": short(row.fee),
        "tax": "0",
        "balance": short(row.balance),
        "accountType": account_type,
        "bizType": row.biz_type,
        "direction": _direction(row.amount),
        "createdAt": row.ts,
        "context": orjson.dumps(row.context).decode(),
    }
