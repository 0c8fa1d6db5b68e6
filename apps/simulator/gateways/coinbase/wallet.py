"""Coinbase's wallet paths: an account per kind of money, and everything that ever happened to it, a page at a time."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from itertools import chain

from aiohttp import web

from apps.simulator.domain.shapes import Account, Currency, Deposit, Fill, Transfer
from apps.simulator.gateways.coinbase.names import identity, iso_seconds, money
from apps.simulator.gateways.coinbase.signing import Gatekeeper
from apps.simulator.gateways.figures import DIGITS
from apps.simulator.gateways.venue import RefusedError, Venue, answer

_NOTHING = Decimal(0)
_MOST_ACCOUNTS = 250
_MOST = 100
_USUAL = 25
Row = dict[str, object]


class WalletDoor:
    """The paths under /v2 that need a token."""

    def __init__(self, venue: Venue, gate: Gatekeeper) -> None:
        self.venue = venue
        self.desk = venue.desk
        self.gate = gate

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the wallet paths."""
        get = self.venue.get
        return [
            get("/v2/user", self.user),
            get("/v2/accounts", self.accounts),
            get("/v2/accounts/{wallet}", self.one_account),
            get("/v2/accounts/{wallet}/transactions", self.transactions),
            get("/v2/accounts/{wallet}/deposits", self.deposits),
            get("/v2/accounts/{wallet}/withdrawals", self.withdrawals),
        ]

    async def user(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        return answer({"data": {"id": identity("user", account.label), "name": account.label, "resource": "user"}})

    async def accounts(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        held = self.desk.balances(account)
        rows = [_wallet(account, item, held.get(item.code, _NOTHING)) for item in self.desk.currencies()]
        return answer(_page(rows, request, _MOST_ACCOUNTS))

    async def one_account(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        currency = self._currency(account, request)
        held = self.desk.balances(account)
        return answer({"data": _wallet(account, currency, held.get(currency.code, _NOTHING))})

    async def transactions(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        code = self._currency(account, request).code
        with localcontext(prec=DIGITS):
            rows = sorted(self._history(account, code), key=lambda pair: pair[0], reverse=True)
        return answer(_page([row for _, row in rows], request, _MOST))

    async def deposits(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        return self._fiat(account, request, self.desk.deposits(account), "deposit")

    async def withdrawals(self, request: web.Request) -> web.Response:
        account = self.gate.signed(request)
        return self._fiat(account, request, self.desk.withdrawals(account), "withdrawal")

    def _fiat(self, account: Account, request: web.Request, items: Sequence[Transfer], kind: str) -> web.Response:
        """Return the transfers of real money; those of coins are among the transactions only."""
        code = self._currency(account, request).code
        path = f"/v2/accounts/{wallet_id(account, code)}/{kind}s"
        found = [item for item in reversed(items) if item.kind == "fiat" and item.asset == code]
        return answer(_page([_fiat_row(item, kind, path) for item in found], request, _MOST))

    def _currency(self, account: Account, request: web.Request) -> Currency:
        asked = request.match_info["wallet"]
        for currency in self.desk.currencies():
            if asked in {currency.code, wallet_id(account, currency.code)}:
                return currency
        raise RefusedError(404, {"errors": [{"id": "not_found", "message": "Not found"}]})

    def _history(self, account: Account, code: str) -> Iterator[tuple[int, Row]]:
        """Yield every change of one wallet with its time."""
        path = f"/v2/accounts/{wallet_id(account, code)}/transactions"
        for item in chain[Transfer](self.desk.deposits(account), self.desk.withdrawals(account)):
            if item.asset == code:
                yield item.ts, _transfer_row(item, path)
        for reward in self.desk.rewards(account):
            if reward.asset == code:
                kind = "staking_reward" if reward.kind == "staking" else "earn_payout"
                yield reward.ts, _row(reward.id, kind, reward.ts, money(reward.amount, code), path)
        for fill in self.desk.fills(account):
            if code in {fill.base, fill.quote, fill.fee_asset}:
                yield fill.ts, _fill_row(fill, code, _effect(fill, code), path)


def wallet_id(account: Account, code: str) -> str:
    """Return the id of an account's wallet for one kind of money."""
    return identity("wallet", account.api_key, code)


def _page(rows: Sequence[Row], request: web.Request, most: int) -> Row:
    """Return a page after the asked id, newest first, with where the next one is."""
    query: Mapping[str, str] = request.query
    limit = min(int(query["limit"]), most) if query.get("limit", "").isdecimal() else _USUAL
    after, start = query.get("starting_after", ""), 0
    if after:
        start = next((place + 1 for place, row in enumerate(rows) if row["id"] == after), len(rows))
    page = rows[start : start + limit]
    following = str(page[-1]["id"]) if page and start + limit < len(rows) else None
    uri = f"{request.path}?limit={limit}&starting_after={following}" if following else None
    pagination = {
        "ending_before": None,
        "starting_after": after or None,
        "previous_ending_before": None,
        "next_starting_after": following,
        "limit": limit,
        "order": "desc",
        "previous_uri": None,
        "next_uri": uri,
    }
    return {"pagination": pagination, "data": page}


def _wallet(account: Account, currency: Currency, amount: Decimal) -> Row:
    identifier, fiat = wallet_id(account, currency.code), currency.kind == "fiat"
    about = {
        "code": currency.code,
        "name": currency.name,
        "color": "#5B616E",
        "exponent": currency.digits,
        "type": "fiat" if fiat else "crypto",
    }
    return {
        "id": identifier,
        "name": f"{currency.code} Wallet",
        "primary": currency.code == "BTC",
        "type": "fiat" if fiat else "wallet",
        "currency": about if fiat else about | {"asset_id": identity("asset", currency.code)},
        "balance": money(amount, currency.code),
        "created_at": "2023-11-14T22:13:20Z",
        "updated_at": "2023-11-14T22:13:20Z",
        "resource": "account",
        "resource_path": f"/v2/accounts/{identifier}",
        "allow_deposits": True,
        "allow_withdrawals": True,
    }


def _row(identifier: str, kind: str, ts: int, amount: dict[str, str], path: str) -> Row:
    return {
        "id": identifier,
        "type": kind,
        "status": "completed",
        "amount": amount,
        "native_amount": {"amount": "0.00", "currency": "USD"},
        "description": None,
        "created_at": iso_seconds(ts),
        "updated_at": iso_seconds(ts),
        "resource": "transaction",
        "resource_path": f"{path}/{identifier}",
        "instant_exchange": False,
        "details": {"title": kind.replace("_", " ").capitalize(), "subtitle": ""},
        "hide_native_amount": False,
    }


def _transfer_row(item: Transfer, path: str) -> Row:
    came = isinstance(item, Deposit)
    amount = item.amount if came else -(item.amount + item.fee)
    if item.kind == "fiat":
        kind = "fiat_deposit" if came else "fiat_withdrawal"
        return _row(item.id, kind, item.ts, money(amount, item.asset), path)
    network: Row = {"status": "confirmed", "hash": item.txid, "network_name": item.network.lower()}
    if came:
        where: Row = {"from": {"resource": "address", "currency": item.asset}}
    else:
        network["transaction_fee"] = money(item.fee, item.asset)
        where = {"to": {"resource": "address", "address": item.address, "currency": item.asset}}
    return _row(item.id, "send", item.ts, money(amount, item.asset), path) | {"network": network} | where


def _fiat_row(item: Transfer, kind: str, path: str) -> Row:
    gross = item.amount if kind == "deposit" else item.amount + item.fee
    return {
        "id": item.id,
        "status": "completed",
        "payment_method": None,
        "transaction": None,
        "user_reference": item.id[:8].upper(),
        "created_at": iso_seconds(item.ts),
        "updated_at": iso_seconds(item.ts + 60_000),
        "resource": kind,
        "resource_path": f"{path}/{item.id}",
        "committed": True,
        "payout_at": iso_seconds(item.ts + 60_000),
        "instant": True,
        "fee": money(item.fee, item.asset),
        "amount": money(gross, item.asset),
        "subtotal": money(item.amount, item.asset),
        "hold_until": None,
        "hold_days": 0,
    }


def _effect(fill: Fill, code: str) -> Decimal:
    """Return what a trade did to one kind of money."""
    sign = 1 if fill.side == "buy" else -1
    change = sign * fill.amount if code == fill.base else _NOTHING
    change -= sign * fill.cost if code == fill.quote else _NOTHING
    return change - (fill.fee if code == fill.fee_asset else _NOTHING)


def _fill_row(fill: Fill, code: str, change: Decimal, path: str) -> Row:
    about = {
        "fill_price": format(fill.price, "f"),
        "product_id": f"{fill.base}-{fill.quote}",
        "order_id": fill.order_id,
        "commission": format(fill.fee, "f"),
        "order_side": str(fill.side),
    }
    row = _row(identity("fill", fill.id, code), "advanced_trade_fill", fill.ts, money(change, code), path)
    return row | {"advanced_trade_fill": about}
