"""Kraken's signed REST: balances by flavor, fifty trades or ledger entries a page, deposits, withdrawals, the key."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from aiohttp import web

from apps.simulator.domain.shapes import Account, Fill, Rights, Transfer
from apps.simulator.gateways.figures import fixed
from apps.simulator.gateways.kraken import ledger, names
from apps.simulator.gateways.kraken.public import result
from apps.simulator.gateways.kraken.signing import Gatekeeper, Params, refuse
from apps.simulator.gateways.venue import Handler, Venue

_PAGE = 50
_MOST_TRANSFERS = 500
_READ = ["query-funds", "query-open-trades", "query-closed-trades", "query-ledger", "export-data"]
_TRADE = ["modify-trades", "close-trades"]
_WITHDRAW = ["add-funds", "withdraw-funds"]


class PrivateDoor:
    """The paths that need a signature."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.desk = venue.desk
        self.gate = Gatekeeper(venue.desk)
        self._ledger = ledger.Ledger(venue.desk)

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the signed paths."""
        handlers: dict[str, Handler] = {
            "Balance": self.balance,
            "BalanceEx": self.extended_balance,
            "TradesHistory": self.trades,
            "QueryTrades": self.trades_by_id,
            "Ledgers": self.ledgers,
            "DepositStatus": self.deposits,
            "WithdrawStatus": self.withdrawals,
            "OpenOrders": self.open_orders,
            "ClosedOrders": self.closed_orders,
            "GetApiKeyInfo": self.key_info,
            "GetWebSocketsToken": self.socket_token,
        }
        return [self.venue.post(f"/0/private/{name}", handler) for name, handler in handlers.items()]

    async def balance(self, request: web.Request) -> web.Response:
        account, _ = await self.gate.signed(request)
        held = ledger.flavors(self.desk, account)
        return result({names.asset_id(asset): fixed(amount, 10) for asset, amount in held.items()})

    async def extended_balance(self, request: web.Request) -> web.Response:
        account, _ = await self.gate.signed(request)
        held = ledger.flavors(self.desk, account)
        body = {
            names.asset_id(asset): {"balance": fixed(amount, 10), "hold_trade": "0.0000000000"}
            for asset, amount in held.items()
        }
        return result(body)

    async def trades(self, request: web.Request) -> web.Response:
        account, params = await self.gate.signed(request)
        fills = self.desk.fills(account)
        within = _within(params)
        found = [fill for fill in reversed(fills) if within(fill.ts)]
        page = found[_offset(params) :][:_PAGE]
        return result({"trades": {fill.id: _trade(fill) for fill in page}, "count": len(found)})

    async def trades_by_id(self, request: web.Request) -> web.Response:
        account, params = await self.gate.signed(request)
        wanted = params.get("txid", "").split(",")
        found = {fill.id: _trade(fill) for fill in self.desk.fills(account) if fill.id in wanted}
        if not found:
            raise refuse("EQuery:Invalid order/trade")
        return result(found)

    async def ledgers(self, request: web.Request) -> web.Response:
        account, params = await self.gate.signed(request)
        assets = {name for name in params.get("asset", "all").split(",") if name}
        kind = params.get("type", "all")
        within = _within(params)
        found = [
            entry
            for entry in reversed(self._ledger.entries(account))
            if within(entry.ts)
            and (kind in {"all", entry.kind})
            and ("all" in assets or assets & {names.asset_id(entry.asset), names.short_name(entry.asset)})
        ]
        page = found[_offset(params) :][:_PAGE]
        return result({"ledger": {entry.id: _ledger_entry(entry) for entry in page}, "count": len(found)})

    async def deposits(self, request: web.Request) -> web.Response:
        account, params = await self.gate.signed(request)
        return self._transfers(self.desk.deposits(account), params, "deposits")

    async def withdrawals(self, request: web.Request) -> web.Response:
        account, params = await self.gate.signed(request)
        return self._transfers(self.desk.withdrawals(account), params, "withdrawals")

    def _transfers(self, items: Sequence[Transfer], params: Params, name: str) -> web.Response:
        """Return the newest first; with a cursor (true, then the given one) page by page."""
        asset = params.get("asset", "")
        within = _within(params)
        found = [
            item
            for item in reversed(items)
            if within(item.ts) and asset in {"", names.asset_id(item.asset), names.short_name(item.asset)}
        ]
        limit = _whole(params, "limit") or _MOST_TRANSFERS
        cursor = params.get("cursor", "")
        if cursor.lower() in {"", "false"}:
            return result([_transfer(item) for item in found[:limit]])
        start = int(cursor) if cursor.isdecimal() else 0
        following = str(start + limit) if start + limit < len(found) else None
        return result({name: [_transfer(item) for item in found[start : start + limit]], "next_cursor": following})

    async def open_orders(self, request: web.Request) -> web.Response:
        await self.gate.signed(request)
        return result({"open": {}})

    async def closed_orders(self, request: web.Request) -> web.Response:
        await self.gate.signed(request)
        return result({"closed": {}, "count": 0})

    async def socket_token(self, request: web.Request) -> web.Response:
        await self.gate.signed(request)
        return result({"token": "1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw", "expires": 900})

    async def key_info(self, request: web.Request) -> web.Response:
        account, params = await self.gate.signed(request)
        body = {
            "apiKeyName": account.label,
            "apiKey": account.api_key,
            "nonce": params["nonce"],
            "nonceWindow": 0,
            "permissions": permissions(account),
            "iban": "AA88 N84G WOAK NMOI",
            "validUntil": "0",
            "queryFrom": "0",
            "queryTo": "0",
            "createdTime": "1700000000",
            "modifiedTime": "1700000000",
            "ipAllowlist": [],
            "lastUsed": str(self.desk.now() // 1000),
        }
        return result(body)


def permissions(account: Account) -> list[str]:
    """Return what a key may do, in Kraken's words."""
    granted = list(_READ)
    if account.rights is not Rights.READ:
        granted += _TRADE
    if account.rights is Rights.WITHDRAW:
        granted += _WITHDRAW
    return granted


def _whole(params: Mapping[str, str], name: str) -> int:
    text = params.get(name, "") or "0"
    if not text.isdecimal():
        raise refuse(f"EGeneral:Invalid arguments:{name}")
    return int(text)


def _offset(params: Mapping[str, str]) -> int:
    return _whole(params, "ofs")


def _within(params: Mapping[str, str]) -> Callable[[int], bool]:
    """Return whether a time lies after start (exclusive) and up to end (inclusive), both in seconds."""
    start, end = _time(params, "start"), _time(params, "end")

    def within(ts: int) -> bool:
        written = ts * 10 + 4
        return (start is None or written > start) and (end is None or written <= end)

    return within


def _time(params: Mapping[str, str], name: str) -> int | None:
    """Return a time in tenths of a millisecond."""
    text = params.get(name, "")
    if not text:
        return None
    try:
        return int(Decimal(text) * 10_000)
    except ArithmeticError as error:
        raise refuse(f"EGeneral:Invalid arguments:{name}") from error


def _seconds(ts: int) -> float:
    return (ts * 10 + 4) / 10_000


def _trade(fill: Fill) -> dict[str, object]:
    return {
        "ordertxid": fill.order_id,
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": names.pair_id(fill.base, fill.quote),
        "aclass": "forex",
        "time": _seconds(fill.ts),
        "type": str(fill.side),
        "ordertype": "limit" if fill.maker else "market",
        "price": format(fill.price, "f"),
        "cost": format(fill.cost, "f"),
        "fee": format(fill.fee, "f"),
        "vol": format(fill.amount, "f"),
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": fill.number,
        "maker": fill.maker,
    }


def _ledger_entry(entry: ledger.Entry) -> dict[str, object]:
    return {
        "refid": entry.refid,
        "time": _seconds(entry.ts),
        "type": entry.kind,
        "subtype": entry.subtype,
        "aclass": "currency",
        "asset": names.asset_id(entry.asset),
        "amount": fixed(entry.amount, 10),
        "fee": fixed(entry.fee, 10),
        "balance": fixed(entry.balance, 10),
    }


def _transfer(item: Transfer) -> dict[str, object]:
    return {
        "method": item.network or "Wire Transfer",
        "aclass": "currency",
        "asset": names.asset_id(item.asset),
        "refid": item.id,
        "txid": item.txid,
        "info": item.address,
        "amount": fixed(item.amount, 10),
        "fee": fixed(item.fee, 10),
        "time": item.ts // 1000,
        "status": "Success",
        "network": item.network or None,
    }
