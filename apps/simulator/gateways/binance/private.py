"""Binance's signed REST: the account, its trades, deposits, withdrawals and dividends, and what its key may do."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeVar
from zlib import crc32

from aiohttp import web

from apps.simulator.domain.shapes import DAY_MS, Currency, Deposit, Fill, Rights, Transfer, Withdrawal
from apps.simulator.gateways.binance import errors
from apps.simulator.gateways.binance.signing import number, signed
from apps.simulator.gateways.figures import fixed, moment, short
from apps.simulator.gateways.venue import Venue, answer

_MOST = 1_000
_NOTHING = Decimal(0)
_RATES = {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000"}
Item = TypeVar("Item", Deposit, Withdrawal)


class PrivateDoor:
    """The paths that need a signature."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.desk = venue.desk

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the signed paths."""
        get, post = self.venue.get, self.venue.post
        return [
            get("/api/v3/account", self.account),
            get("/api/v3/myTrades", self.my_trades),
            get("/api/v3/openOrders", self.empty_list),
            get("/sapi/v1/account/apiRestrictions", self.restrictions),
            get("/sapi/v1/capital/config/getall", self.currencies),
            get("/sapi/v1/capital/deposit/hisrec", self.deposits),
            get("/sapi/v1/capital/withdraw/history", self.withdrawals),
            get("/sapi/v1/fiat/orders", self.fiat_orders),
            get("/sapi/v1/fiat/payments", self.no_fiat_payments),
            get("/sapi/v1/asset/assetDividend", self.dividends),
            get("/sapi/v1/asset/dribblet", self.no_dust),
            get("/sapi/v1/convert/tradeFlow", self.no_conversions),
            get("/sapi/v1/margin/allPairs", self.empty_list),
            get("/sapi/v1/margin/isolated/allPairs", self.empty_list),
            get("/sapi/v1/simple-earn/flexible/position", self.no_rows),
            get("/sapi/v1/simple-earn/locked/position", self.no_rows),
            post("/sapi/v3/asset/getUserAsset", self.user_assets),
            post("/sapi/v1/asset/get-funding-asset", self.empty_list),
        ]

    async def empty_list(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return answer([])

    async def no_rows(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return answer({"rows": [], "total": 0})

    async def no_dust(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return answer({"total": 0, "userAssetDribblets": []})

    async def no_conversions(self, request: web.Request) -> web.Response:
        _, params = await signed(request, self.desk)
        start, end = number(params, "startTime"), number(params, "endTime")
        return answer({"list": [], "startTime": start, "endTime": end, "limit": 100, "moreData": False})

    async def no_fiat_payments(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return answer({"code": "000000", "message": "success", "data": [], "total": 0, "success": True})

    async def account(self, request: web.Request) -> web.Response:
        account, params = await signed(request, self.desk)
        held = self.desk.balances(account)
        names = [currency.code for currency in self.desk.currencies()]
        if params.get("omitZeroBalances") == "true":
            names = [name for name in names if held.get(name)]
        trade = account.rights is not Rights.READ
        body = {
            "makerCommission": 10,
            "takerCommission": 10,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": "0.00100000",
                "taker": "0.00100000",
                "buyer": "0.00000000",
                "seller": "0.00000000",
            },
            "canTrade": trade,
            "canWithdraw": account.rights is Rights.WITHDRAW,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self.desk.now(),
            "accountType": "SPOT",
            "balances": [
                {"asset": name, "free": fixed(held.get(name, _NOTHING), 8), "locked": "0.00000000"} for name in names
            ],
            "permissions": ["SPOT"],
            "uid": 300_000_000 + crc32(account.label.encode()) % 100_000_000,
        }
        return answer(body)

    async def user_assets(self, request: web.Request) -> web.Response:
        account, _ = await signed(request, self.desk)
        rows = [
            {
                "asset": name,
                "free": short(amount),
                "locked": "0",
                "freeze": "0",
                "withdrawing": "0",
                "ipoable": "0",
                "btcValuation": "0",
            }
            for name, amount in self.desk.balances(account).items()
        ]
        return answer(rows)

    async def my_trades(self, request: web.Request) -> web.Response:
        account, params = await signed(request, self.desk)
        name = params.get("symbol", "")
        if not name:
            raise errors.missing("symbol")
        fills = self.desk.fills(account)
        mine = [fill for fill in fills if fill.base + fill.quote == name]
        if not mine and name not in self.venue.listing().by_id:
            raise errors.bad_symbol()
        return answer([_my_trade(name, fill) for fill in _page(mine, params)])

    async def restrictions(self, request: web.Request) -> web.Response:
        account, _ = await signed(request, self.desk)
        withdraw = account.rights is Rights.WITHDRAW
        body = {
            "ipRestrict": False,
            "createTime": 1700000000000,
            "enableReading": True,
            "enableWithdrawals": withdraw,
            "enableInternalTransfer": withdraw,
            "enableMargin": False,
            "enableFutures": False,
            "permitsUniversalTransfer": withdraw,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": True,
            "enableSpotAndMarginTrading": account.rights is not Rights.READ,
            "enablePortfolioMarginTrading": False,
        }
        return answer(body)

    async def currencies(self, request: web.Request) -> web.Response:
        account, _ = await signed(request, self.desk)
        held = self.desk.balances(account)
        return answer([_coin(currency, held.get(currency.code, _NOTHING)) for currency in self.desk.currencies()])

    async def deposits(self, request: web.Request) -> web.Response:
        account, params = await signed(request, self.desk)
        found = [item for item in self.desk.deposits(account) if item.kind == "crypto"]
        return answer([_deposit(item) for item in self._window(found, params)])

    async def withdrawals(self, request: web.Request) -> web.Response:
        account, params = await signed(request, self.desk)
        found = [item for item in self.desk.withdrawals(account) if item.kind == "crypto"]
        return answer([_withdrawal(item) for item in self._window(found, params)])

    async def fiat_orders(self, request: web.Request) -> web.Response:
        account, params = await signed(request, self.desk)
        kind = params.get("transactionType", "")
        if kind not in {"0", "1"}:
            raise errors.missing("transactionType")
        items: Sequence[Transfer] = self.desk.deposits(account) if kind == "0" else self.desk.withdrawals(account)
        start, end = number(params, "beginTime") or 0, number(params, "endTime") or self.desk.now()
        found = [item for item in reversed(items) if item.kind == "fiat" and start <= item.ts <= end]
        rows, page = min(number(params, "rows") or 100, 500), number(params, "page") or 1
        data = [_fiat_order(item, kind) for item in found[(page - 1) * rows : page * rows]]
        return answer({"code": "000000", "message": "success", "data": data, "total": len(found), "success": True})

    async def dividends(self, request: web.Request) -> web.Response:
        account, params = await signed(request, self.desk)
        start, end = number(params, "startTime") or 0, number(params, "endTime") or self.desk.now()
        if params.get("startTime") and params.get("endTime") and end - start > 180 * DAY_MS:
            raise errors.refuse(400, -4047, "Time interval must be within 0-180 days")
        asset = params.get("asset")
        found = [
            item
            for item in reversed(self.desk.rewards(account))
            if start <= item.ts <= end and asset in {None, item.asset}
        ]
        rows = [
            {
                "id": item.number,
                "amount": fixed(item.amount, 8),
                "asset": item.asset,
                "divTime": item.ts,
                "enInfo": item.kind,
                "tranId": item.number,
                "direction": 1,
            }
            for item in found[: min(number(params, "limit") or 20, 500)]
        ]
        return answer({"rows": rows, "total": len(found)})

    def _window(self, items: Sequence[Item], params: Mapping[str, str]) -> list[Item]:
        """Return what lies in the asked ninety days at most, newest first; without a start the latest ninety."""
        start, end = number(params, "startTime"), number(params, "endTime")
        last = self.desk.now() if end is None else end
        first = last - errors.LONGEST_WINDOW_MS if start is None else start
        if end is None and start is not None:
            last = min(last, start + errors.LONGEST_WINDOW_MS)
        if last - first > errors.LONGEST_WINDOW_MS:
            raise errors.over_ninety_days()
        coin, txid = params.get("coin"), params.get("txId")
        found = [
            item
            for item in reversed(items)
            if first <= item.ts <= last and coin in {None, "", item.asset} and txid in {None, "", item.txid}
        ]
        offset = number(params, "offset") or 0
        return found[offset : offset + min(number(params, "limit") or _MOST, _MOST)]


def _page(fills: Sequence[Fill], params: Mapping[str, str]) -> Sequence[Fill]:
    """Return at most a thousand trades: from an id or a time on, oldest first; else the latest."""
    limit = min(number(params, "limit") or 500, _MOST)
    start, end, first_id = (number(params, name) for name in ("startTime", "endTime", "fromId"))
    if first_id is not None:
        return [fill for fill in fills if fill.number >= first_id][:limit]
    if start is not None and end is not None and end - start > DAY_MS:
        raise errors.over_a_day()
    if end is not None:
        fills = [fill for fill in fills if fill.ts <= end]
    if start is not None:
        return [fill for fill in fills if fill.ts >= start][:limit]
    return fills[-limit:]


def _my_trade(market_id: str, fill: Fill) -> dict[str, object]:
    return {
        "symbol": market_id,
        "id": fill.number,
        "orderId": int(fill.order_id) if fill.order_id.isdecimal() else fill.number,
        "orderListId": -1,
        "price": fixed(fill.price, 8),
        "qty": fixed(fill.amount, 8),
        "quoteQty": fixed(fill.cost, 8),
        "commission": fixed(fill.fee, 8),
        "commissionAsset": fill.fee_asset,
        "time": fill.ts,
        "isBuyer": fill.side == "buy",
        "isMaker": fill.maker,
        "isBestMatch": True,
    }


def _deposit(item: Deposit) -> dict[str, object]:
    return {
        "id": item.id,
        "amount": short(item.amount),
        "coin": item.asset,
        "network": item.network,
        "status": 1,
        "address": item.address,
        "addressTag": "",
        "txId": item.txid,
        "insertTime": item.ts,
        "completeTime": item.ts + 60_000,
        "transferType": 0,
        "confirmTimes": "12/12",
        "unlockConfirm": 12,
        "walletType": 0,
    }


def _withdrawal(item: Withdrawal) -> dict[str, object]:
    return {
        "id": item.id,
        "amount": short(item.amount),
        "transactionFee": short(item.fee),
        "coin": item.asset,
        "status": 6,
        "address": item.address,
        "addressTag": "",
        "txId": item.txid,
        "applyTime": moment(item.ts).strftime("%Y-%m-%d %H:%M:%S"),
        "completeTime": moment(item.ts + 60_000).strftime("%Y-%m-%d %H:%M:%S"),
        "network": item.network,
        "transferType": 0,
        "info": "",
        "confirmNo": 12,
        "walletType": 0,
        "txKey": "",
    }


def _fiat_order(item: Transfer, kind: str) -> dict[str, object]:
    indicated = item.amount if kind == "0" else item.amount + item.fee
    return {
        "orderNo": item.id,
        "fiatCurrency": item.asset,
        "indicatedAmount": fixed(indicated, 2),
        "amount": fixed(item.amount, 2),
        "totalFee": fixed(item.fee, 2),
        "method": "Bank Transfer",
        "status": "Successful",
        "createTime": item.ts,
        "updateTime": item.ts + 60_000,
    }


def _coin(currency: Currency, free: Decimal) -> dict[str, object]:
    return {
        "coin": currency.code,
        "depositAllEnable": True,
        "withdrawAllEnable": True,
        "name": currency.name,
        "free": short(free),
        "locked": "0",
        "freeze": "0",
        "withdrawing": "0",
        "ipoing": "0",
        "ipoable": "0",
        "storage": "0",
        "isLegalMoney": currency.kind == "fiat",
        "trading": True,
        "networkList": [_network(currency, name) for name in currency.networks],
    }


def _network(currency: Currency, name: str) -> dict[str, object]:
    return {
        "network": name,
        "coin": currency.code,
        "withdrawIntegerMultiple": fixed("0." + "1".rjust(currency.digits, "0") if currency.digits else "1", 0),
        "isDefault": name == currency.networks[0],
        "depositEnable": True,
        "withdrawEnable": True,
        "depositDesc": "",
        "withdrawDesc": "",
        "specialTips": "",
        "name": name,
        "resetAddressStatus": False,
        "addressRegex": "",
        "memoRegex": "",
        "withdrawFee": "0.001",
        "withdrawMin": "0.002",
        "withdrawMax": "10000000000",
        "minConfirm": 12,
        "unLockConfirm": 0,
        "sameAddress": False,
        "estimatedArrivalTime": 5,
        "busy": False,
    }
