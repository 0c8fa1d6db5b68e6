"""Random ledgers and policies in the portable format, and the engine's answer to one in comparable shape."""

import json
from collections.abc import Mapping
from typing import cast

from hypothesis import strategies as st

from apps.portfolios.domain.booking import Booking, book, book_lines, outcome
from apps.portfolios.domain.booking.quick import LineReader
from apps.portfolios.domain.booking.reading import Document
from apps.portfolios.domain.result import as_portable
from apps.portfolios.domain.timeline import Timeline, parse_timeline
from apps.portfolios.domain.transactions import Entry, EntryError, parse_entry

Row = dict[str, object]
Raw = Mapping[str, object]

START = 1_577_836_800_000
DAY = 86_400_000
DIGITS = 30

coins = st.sampled_from(["X", "X", "X", "WX", "Y"])
accounts = st.sampled_from([None, "a", "a", "b", "c"])
days = st.one_of(
    st.integers(0, 3), st.integers(0, 70), st.integers(0, 800), st.sampled_from([29, 30, 31, 364, 365, 366])
)
clock = st.sampled_from([0, 0, 1, 43_200_000, 82_800_000, 86_399_999])
moments = st.builds(lambda day, time: START + day * DAY + time, days, clock)
small = st.integers(1, 12).map(str)
odd = st.sampled_from(
    ["0.1", "0.3", "0.7", "1.5", "2.25", "0.333333333333333333333333333333", "7.000000000000000000000000000001"]
)
extreme = st.sampled_from(
    ["0.000000000000000000000000000001", "0.000000000000000001", "1234567890123456789012345678901234567890"]
)
anything = st.integers(1, 10**33).map(lambda digits: f"{digits // 10**DIGITS}.{digits % 10**DIGITS:030d}")
amounts = st.one_of(small, small, small, odd, anything, extreme)
money = st.one_of(amounts, st.just("0"), st.integers(1, 999).map(lambda number: f"{number}.99"))
ratios = st.sampled_from(["2", "10", "0.5", "0.001", "3", "1.5", "0.333333333333333333333333333333"])


@st.composite
def fees(draw: st.DrawFn) -> Row:
    """Draw no fee, one in money, or one in a coin with its value."""
    kind = draw(st.sampled_from(["none", "none", "quote", "named", "coin", "coin"]))
    if kind == "none":
        return {}
    fee: Row = {"fee": draw(st.one_of(amounts, st.just("0")))}
    if kind == "named":
        fee["fee_asset"] = "USD"
    if kind == "coin":
        fee |= {"fee_asset": draw(coins), "fee_value": draw(money)}
    return fee


@st.composite
def priced(draw: st.DrawFn, kind: str) -> Row:
    """Draw a transaction of one coin for a value or a price."""
    name = draw(st.sampled_from(["value", "price"]))
    fee = draw(fees()) if kind in {"buy", "sell"} else {}
    return {"type": kind, "asset": draw(coins), "amount": draw(amounts), name: draw(money), **fee}


@st.composite
def trades(draw: st.DrawFn) -> Row:
    """Draw a coin against a coin; inside a basis bucket mostly one for one."""
    out = draw(amounts)
    fee = draw(fees())
    side = draw(st.sampled_from([None, "in", "out"]))
    into = draw(st.one_of(st.just(out), amounts))
    trade = {"type": "trade", "out_asset": draw(coins), "out_amount": out, "in_asset": draw(coins), "in_amount": into}
    return {**trade, "value": draw(money), **fee, **({"fee_on": side} if side else {})}


@st.composite
def transfers(draw: st.DrawFn) -> Row:
    """Draw a move between own accounts, with what is lost on the way."""
    lost = draw(st.sampled_from([None, "0", "0.1", "1"]))
    sent = draw(st.sampled_from(["1", "2", "2.5", "4", "9.000000000000000000000000000001"]))
    move: Row = {"type": "transfer", "asset": draw(coins), "amount": sent}
    move |= {"from_account": draw(st.sampled_from(["a", "b"])), "to_account": draw(st.sampled_from(["a", "b", "c"]))}
    if lost is not None:
        whole, _, fraction = sent.partition(".")
        digits = int(whole + fraction.ljust(DIGITS, "0")) - int(float(lost) * 10) * 10 ** (DIGITS - 1)
        move |= {"received": f"{digits // 10**DIGITS}.{digits % 10**DIGITS:030d}", "fee_value": draw(money)}
    return {**move, **(draw(fees()) if draw(st.integers(0, 3)) == 0 else {})}


@st.composite
def rare(draw: st.DrawFn) -> Row:
    """Draw a split, a return of capital, an opening balance, or a line that is no transaction."""
    kind = draw(st.sampled_from(["split", "return_of_capital", "pool_opening", "bad", "negative", "long", "unpriced"]))
    if kind == "split":
        return {"type": kind, "asset": draw(coins), "ratio": draw(ratios)}
    if kind == "return_of_capital":
        return {"type": kind, "asset": draw(coins), "value": draw(money)}
    if kind == "pool_opening":
        return {"type": kind, "asset": draw(coins), "amount": draw(amounts), "value": draw(money)}
    strange: dict[str, Row] = {
        "bad": {"type": "sell", "asset": "X", "amount": "1"},
        "negative": {"type": "buy", "asset": "X", "amount": "-1", "value": "1"},
        "long": {"type": "buy", "asset": "X", "amount": "0.0000000000000000000000000000001", "value": "1"},
        "unpriced": {"type": "income", "asset": "X", "amount": "1"},
    }
    return strange[kind]


transactions = st.one_of(
    priced("buy"),
    priced("buy"),
    priced("sell"),
    priced("sell"),
    trades(),
    priced("income"),
    priced("spend"),
    priced("fee"),
    transfers(),
    transfers(),
    rare(),
)


@st.composite
def ledgers(draw: st.DrawFn, size: int = 14) -> list[Row]:
    """Draw a ledger: transactions of every type at times that often coincide."""
    rows = draw(st.lists(transactions, min_size=1, max_size=size))
    times = draw(st.lists(moments, min_size=len(rows), max_size=len(rows)))
    places = draw(st.lists(accounts, min_size=len(rows), max_size=len(rows)))
    ledger = []
    for number, (row, ts, account) in enumerate(zip(rows, times, places, strict=True)):
        where = {"account": account} if account and row["type"] != "transfer" else {}
        ledger.append({"id": f"t{number}", "ts": ts, **row, **where})
    return ledger


def _policy(**choices: object) -> Row:
    policy = {name: value for name, value in choices.items() if value is not None}
    if policy.get("method") == "uk_s104":
        policy.pop("scope", None)
    return policy


policies = st.builds(
    _policy,
    method=st.sampled_from([None, "fifo", "lifo", "hifo", "acb", "uk_s104"]),
    scope=st.sampled_from([None, "universal", "per_account"]),
    fees=st.sampled_from([None, "basis", "separate"]),
    crypto_fee=st.sampled_from([None, "dispose", "consume"]),
    same_coin_fee=st.sampled_from([None, "dispose", "in_disposal"]),
    transfer_fee=st.sampled_from([None, "dispose", "consume"]),
    missing=st.sampled_from([None, "zero_cost", "error"]),
    long_days=st.sampled_from([None, 0, 1, 30, 366]),
    hifo_excl_fee=st.sampled_from([None, True, False]),
    alias=st.sampled_from([None, {"WX": "X"}, {"WX": "VX", "VX": "X"}]),
    superficial_window_days=st.sampled_from([None, None, 0, 1, 30]),
)


def _changes(times: list[int], rules: list[Row]) -> list[Row]:
    return [{"from": ts, "policy": policy} for ts, policy in zip(times, rules, strict=False)]


policy_changes = st.builds(
    _changes, st.lists(moments, min_size=1, max_size=3, unique=True), st.lists(policies, min_size=3, max_size=3)
)


def engine_booking(file: Raw) -> tuple[Booking, list[Row]]:
    """Return what the engine books of a portable file, and its bad lines."""
    entries: list[Entry] = []
    errors: list[Row] = []
    for index, raw in enumerate(cast("list[Raw]", file["transactions"])):
        try:
            entries.append(parse_entry(raw, index=index))
        except EntryError as error:
            errors.append({"tx": raw["id"], "code": error.code, "message": error.message})
    return book(entries, timeline_of(file)), errors


def timeline_of(file: Raw) -> Timeline:
    """Return the rules of a portable file."""
    return parse_timeline(file.get("policy") or {}, file.get("policy_changes"))


def engine_result(file: Raw) -> Row:
    """Return the engine's result of a portable file, its bad lines among the errors."""
    booking, errors = engine_booking(file)
    result = as_portable(booking)
    result["errors"] = [*errors, *cast("list[Row]", result["errors"])]
    return result


def engine_result_of_text(file: Raw) -> Row:
    """Return the same by the way that a file goes: read piece by piece, straight to the engine's lines."""
    document, reader, lines, errors = Document([json.dumps(file)]), LineReader(), [], []
    for index, raw in enumerate(document.transactions()):
        try:
            lines.append(reader.line(raw, index=index))
        except EntryError as error:
            errors.append({"tx": cast("Raw", raw)["id"], "code": error.code, "message": error.message})
    timeline = timeline_of(document.rest)
    result = as_portable(outcome(book_lines(lines, timeline), timeline))
    result["errors"] = [*errors, *cast("list[Row]", result["errors"])]
    return result


def comparable(result: Raw) -> Row:
    """Return what a result says, without what only one side adds and without an order that means nothing."""
    plain = dict(result)
    for name, fields in {
        "remaining_lots": ("lot", "asset", "account", "amount", "cost_basis", "acquired_at"),
        "missing": ("tx", "asset", "account", "found", "missing"),
    }.items():
        rows = cast("list[Row]", result[name])
        plain[name] = sorted([str(row[field]) for field in fields] for row in rows)
    pools = cast("Mapping[str, Row]", result["pools"])
    plain["pools"] = {key: pool for key, pool in pools.items() if set(pool.values()) != {"0"}}
    errors = cast("list[Row]", result["errors"])
    said = "missing_acquisition"
    plain["errors"] = sorted({(str(row["tx"]), said if row["code"] == said else "bad") for row in errors})
    extra = {"ts", "txs", "missing"}
    disposals = cast("list[Row]", result["disposals"])
    plain["disposals"] = [{name: value for name, value in row.items() if name not in extra} for row in disposals]
    return plain
