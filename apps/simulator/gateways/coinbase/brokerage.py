"""Coinbase's advanced trade paths: accounts by cursor, fills by cursor, what the key may do."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from aiohttp import web

from apps.simulator.domain.shapes import Account, Currency, Fill, Rights
from apps.simulator.gateways.coinbase.names import identity, iso, value
from apps.simulator.gateways.coinbase.public import PublicDoor
from apps.simulator.gateways.coinbase.signing import Gatekeeper, refuse
from apps.simulator.gateways.coinbase.wallet import wallet_id
from apps.simulator.gateways.venue import Handler, Venue, answer

_MOST_ACCOUNTS = 250
_MOST_FILLS = 3_000
_USUAL_FILLS = 100
_USUAL_ACCOUNTS = 49
Row = dict[str, object]


class BrokerageDoor:
    """The paths under /api/v3/brokerage that need a token."""

    def __init__(self, venue: Venue, gate: Gatekeeper, public: PublicDoor) -> None:
        self.venue = venue
        self.desk = venue.desk
        self.gate = gate
        self.public = public

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the advanced trade paths; products can be asked for with a token, too."""
        base = "/api/v3/brokerage"
        handlers: dict[str, Handler] = {
            "accounts": self.accounts,
            "accounts/{wallet}": self.one_account,
            "orders/historical/fills": self.fills,
            "orders/historical/batch": self.orders,
            "key_permissions": self.permissions,
            "transaction_summary": self.summary,
            "portfolios": self.portfolios,
            "products": self._with_token(self.public.products),
            "products/{name}": self._with_token(self.public.product),
            "products/{name}/candles": self._with_token(self.public.candles),
            "products/{name}/ticker": self._with_token(self.public.ticker),
        }
        return [self.venue.get(f"{base}/{path}", handler) for path, handler in handlers.items()]

    def _with_token(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            self.gate.signed(request)
            return await handler(request)

        return checked

    async def accounts(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        held = self.desk.balances(account)
        rows = [_account(account, item, held.get(item.code, Decimal(0))) for item in self.desk.currencies()]
        start = _after(request.query.get("cursor", ""))
        limit = min(_number(request.query, "limit", _USUAL_ACCOUNTS), _MOST_ACCOUNTS)
        page, more = rows[start : start + limit], start + limit < len(rows)
        cursor = _cursor(start + limit) if more else ""
        return answer({"accounts": page, "has_next": more, "cursor": cursor, "size": len(page)})

    async def one_account(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        for currency in self.desk.currencies():
            if wallet_id(account, currency.code) == request.match_info["wallet"]:
                amount = self.desk.balances(account).get(currency.code, Decimal(0))
                return answer({"account": _account(account, currency, amount)})
        raise refuse(404, "NOT_FOUND", "account not found")

    async def fills(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        query = request.query
        wanted = set(query.getall("product_ids", []) + query.getall("product_id", []))
        start, end = _time(query, "start_sequence_timestamp"), _time(query, "end_sequence_timestamp")
        below = _after(query.get("cursor", ""))
        found = [
            fill
            for fill in reversed(self.desk.fills(account))
            if (not below or fill.number < below)
            and (not wanted or f"{fill.base}-{fill.quote}" in wanted)
            and (start is None or fill.ts >= start)
            and (end is None or fill.ts <= end)
        ]
        limit = min(_number(query, "limit", _USUAL_FILLS), _MOST_FILLS)
        cursor = _cursor(found[limit - 1].number) if len(found) > limit else ""
        return answer({"fills": [_fill(account, fill) for fill in found[:limit]], "cursor": cursor})

    async def orders(self, request: web.Request) -> web.Response:
        self.gate.signed(request)
        return answer({"orders": [], "sequence": "0", "has_next": False, "cursor": ""})

    async def permissions(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        body = {
            "can_view": True,
            "can_trade": account.rights is not Rights.READ,
            "can_transfer": account.rights is Rights.WITHDRAW,
            "portfolio_uuid": identity("portfolio", account.label),
            "portfolio_type": "DEFAULT",
        }
        return answer(body)

    async def summary(self, request: web.Request) -> web.Response:
        self.gate.signed(request)
        tier = {"pricing_tier": "Intro 1", "taker_fee_rate": "0.006", "maker_fee_rate": "0.004"}
        return answer({"total_volume": 0, "total_fees": 0, "fee_tier": tier, "margin_rate": None})

    async def portfolios(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        row = {"name": "Default", "uuid": identity("portfolio", account.label), "type": "DEFAULT", "deleted": False}
        return answer({"portfolios": [row]})


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, "")
    if not text:
        return usual
    if not text.isdecimal() or int(text) < 1:
        raise refuse(400, "INVALID_ARGUMENT", f"{name} is invalid")
    return int(text)


def _time(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError as error:
        raise refuse(400, "INVALID_ARGUMENT", f"{name} is invalid") from error


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(str(number).encode()).decode()


def _after(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError) as error:
        raise refuse(400, "INVALID_ARGUMENT", "cursor is invalid") from error


def _account(account: Account, currency: Currency, amount: Decimal) -> Row:
    fiat = currency.kind == "fiat"
    return {
        "uuid": wallet_id(account, currency.code),
        "name": f"{currency.code} Wallet",
        "currency": currency.code,
        "available_balance": value(amount, currency.code),
        "default": currency.code == "BTC",
        "active": True,
        "created_at": "2023-11-14T22:13:20.000Z",
        "updated_at": "2023-11-14T22:13:20.000Z",
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if fiat else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": value(Decimal(0), currency.code),
        "retail_portfolio_id": identity("portfolio", account.label),
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def _fill(account: Account, fill: Fill) -> Row:
    return {
        "entry_id": identity("entry", fill.id),
        "trade_id": fill.id,
        "order_id": fill.order_id,
        "trade_time": iso(fill.ts),
        "trade_type": "FILL",
        "price": format(fill.price, "f"),
        "size": format(fill.amount, "f"),
        "commission": format(fill.fee, "f"),
        "product_id": f"{fill.base}-{fill.quote}",
        "sequence_timestamp": iso(fill.ts),
        "liquidity_indicator": "MAKER" if fill.maker else "TAKER",
        "size_in_quote": False,
        "user_id": identity("user", account.label),
        "side": str(fill.side).upper(),
        "retail_portfolio_id": identity("portfolio", account.label),
    }
