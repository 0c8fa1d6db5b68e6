"""The control routes of one venue: accounts, truth, posted trades, faults and counts. Not part of any real exchange."""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from apps.simulator.domain.faults import FAULTS, Switch
from apps.simulator.domain.shapes import Account, Fill, PostedTradeError, Side, UnknownSymbolError
from apps.simulator.gateways.faults import Counts
from apps.simulator.gateways.journal import Journal
from apps.simulator.gateways.venue import Venue

_MOST_DIGITS = 18
_LARGEST = Decimal(10) ** 15
_LONGEST_MS = 365 * 86_400_000
_FIELDS = {"fault", "path", "count", "seconds", "label", "symbol", "ms"}


class BadRequestError(Exception):
    """A control request that makes no sense: a status, a stable code and a sentence."""

    def __init__(self, code: str, detail: str, *, status: int = 400) -> None:
        super().__init__(detail)
        self.code, self.detail, self.status = code, detail, status


Handler = Callable[[web.Request], Any]


class Control:
    """What can be asked of and done to one venue from outside the game."""

    def __init__(self, venue: Venue, counts: Counts, journal: Journal | None) -> None:
        self._venue, self._desk = venue, venue.desk
        self._counts, self._journal = counts, journal

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers under /_sim."""
        return [
            web.get("/_sim/accounts", self.accounts),
            web.get("/_sim/truth/{label}", self.truth),
            web.post("/_sim/trade", self.trade),
            web.get("/_sim/faults", self.faults),
            web.post("/_sim/faults", self.add_fault),
            web.delete("/_sim/faults", self.clear_faults),
            web.get("/_sim/stats", self.stats),
            web.get("/_sim/events", self.events),
        ]

    async def accounts(self, _request: web.Request) -> web.Response:
        """Show every account with its key."""
        names = ("label", "rights", "api_key", "api_secret", "passphrase")
        rows = self._desk.world.accounts(self._desk.venue)
        return web.json_response([{name: getattr(account, name) for name in names} for account in rows])

    async def truth(self, request: web.Request) -> web.Response:
        """Show what an account holds, to the last digit, and how much it did."""
        account = self._account(request.match_info["label"])
        world, now = self._desk.world, self._desk.time()
        return web.json_response(
            {
                "balances": {asset: _text(amount) for asset, amount in world.balances(account, now).items()},
                "trades": len(world.fills(account, now)),
                "deposits": len(world.deposits(account, now)),
                "withdrawals": len(world.withdrawals(account, now)),
                "rewards": len(world.rewards(account, now)),
            }
        )

    async def trade(self, request: web.Request) -> web.Response:
        """Let an account trade at the present price."""
        body = await _body(request, {"label", "symbol", "side", "amount"})
        account = self._account(_word(body, "label"))
        symbol, side, amount = _word(body, "symbol"), _side(body), _amount(body)
        try:
            fill = self._desk.world.post_trade(account, symbol, side, amount, self._desk.time())
        except UnknownSymbolError as error:
            raise BadRequestError("unknown_symbol", f"{symbol} is not listed here.", status=422) from error
        except PostedTradeError as error:
            raise BadRequestError("cannot_trade", str(error), status=422) from error
        if self._journal:
            self._journal.append(self._journal.line(account, fill))
        return web.json_response(_shown(account, fill))

    async def faults(self, _request: web.Request) -> web.Response:
        """Show the faults that are on."""
        now = self._desk.time()
        return web.json_response([_switch_shown(switch, now) for switch in self._desk.faults.active(now)])

    async def add_fault(self, request: web.Request) -> web.Response:
        """Turn a fault on."""
        switch = self._switch(await _body(request, _FIELDS))
        self._desk.faults.add(switch)
        return web.json_response(_switch_shown(switch, self._desk.time()))

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """Turn every fault off."""
        self._desk.faults.clear()
        return web.json_response([])

    async def stats(self, _request: web.Request) -> web.Response:
        """Show how often each path was asked for, and by which key."""
        return web.json_response(self._counts.shown())

    async def events(self, _request: web.Request) -> web.Response:
        """Show what happened out of the ordinary in this world's history."""
        return web.json_response([event._asdict() for event in self._desk.world.events(self._desk.time())])

    # --- reading what was sent -------------------------------------------------------------------------------------
    def _account(self, label: str) -> Account:
        for account in self._desk.world.accounts(self._desk.venue):
            if account.label == label:
                return account
        raise BadRequestError("unknown_label", "No account has this label; /_sim/accounts lists them.", status=404)

    def _switch(self, body: dict[str, Any]) -> Switch:
        fault = _word(body, "fault")
        if fault not in FAULTS:
            raise BadRequestError("unknown_fault", f"Known faults: {', '.join(FAULTS)}.")
        path, label, symbol = (_optional_word(body, name) for name in ("path", "label", "symbol"))
        if path and not path.startswith("/"):
            raise BadRequestError("bad_path", "path begins with a slash and may be the beginning of several paths.")
        count, seconds = _positive(body, "count", whole=True), _positive(body, "seconds", whole=False)
        now = self._desk.time()
        return Switch(
            fault=fault,
            path=path,
            left=None if count is None else int(count),
            until_ms=None if seconds is None else now + int(seconds * 1000),
            label=self._account(label).label if label else "",
            symbol=self._symbol(symbol, fault),
            amount_ms=_milliseconds(body, fault),
        )

    def _symbol(self, symbol: str, fault: str) -> str:
        """Return the symbol that a fault is about; without one, delist takes the last in the list."""
        listed = [market.symbol for market in self._desk.markets()]
        if symbol and symbol not in listed:
            raise BadRequestError("unknown_symbol", f"{symbol} is not listed here.", status=422)
        return symbol or (listed[-1] if fault == "delist" else "")


_DEFAULT_MS = {"clock_skew": 120_000, "slow": 3_000}


def _milliseconds(body: dict[str, Any], fault: str) -> int:
    value = body.get("ms")
    if value is None:
        return _DEFAULT_MS.get(fault, 0)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LONGEST_MS:
        raise BadRequestError("bad_ms", "ms is a whole number of milliseconds, at most a year.")
    return value


async def _body(request: web.Request, fields: set[str]) -> dict[str, Any]:
    try:
        body = json.loads(await request.text())
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError("bad_json", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise BadRequestError("bad_json", "The body is one JSON object.")
    unknown = sorted(set(body) - fields)
    if unknown:
        raise BadRequestError("unknown_field", f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(fields))}.")
    return body


def _word(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequestError(f"bad_{name}", f"{name} is a text.")
    return value


def _optional_word(body: dict[str, Any], name: str) -> str:
    return "" if body.get(name) is None else _word(body, name)


def _side(body: dict[str, Any]) -> Side:
    word = _word(body, "side").lower()
    if word not in {side.value for side in Side}:
        raise BadRequestError("bad_side", "side is buy or sell.")
    return Side(word)


def _amount(body: dict[str, Any]) -> Decimal:
    """Return the amount; text keeps every digit, a number is taken as it was written."""
    value = body.get("amount")
    detail = f"amount is a number above zero with at most {_MOST_DIGITS} fraction digits, best as text."
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRequestError("bad_amount", detail)
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise BadRequestError("bad_amount", detail) from error
    if not amount.is_finite() or not 0 < amount < _LARGEST:
        raise BadRequestError("bad_amount", detail)
    exponent = amount.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_MOST_DIGITS:
        raise BadRequestError("bad_amount", detail)
    return amount


def _positive(body: dict[str, Any], name: str, *, whole: bool) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < 10**9:
        raise BadRequestError(f"bad_{name}", f"{name} is a {'whole ' if whole else ''}number above zero, or null.")
    return float(value)


def _text(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shown(account: Account, fill: Fill) -> dict[str, object]:
    amounts = ("price", "amount", "cost", "fee")
    words = ("id", "order_id", "number", "ts", "symbol", "side", "fee_asset")
    return {
        "label": account.label,
        **{name: getattr(fill, name) for name in words},
        **{name: _text(getattr(fill, name)) for name in amounts},
    }


def _switch_shown(switch: Switch, now_ms: int) -> dict[str, object]:
    seconds = None if switch.until_ms is None else max(switch.until_ms - now_ms, 0) / 1000
    return {
        "fault": switch.fault,
        "path": switch.path or None,
        "count": switch.left,
        "seconds": seconds,
        "label": switch.label or None,
        "symbol": switch.symbol or None,
        "ms": switch.amount_ms or None,
    }


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a control request that makes no sense with its code and a sentence."""
    try:
        answer: web.StreamResponse = await handler(request)
    except BadRequestError as error:
        return web.json_response({"error": error.code, "detail": error.detail}, status=error.status)
    return answer
