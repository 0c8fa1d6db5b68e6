"""The unmodified ccxt client reads accounts on all four exchanges and finds the truth, or is refused rightly."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any

import ccxt
import ccxt.async_support as ccxt_async
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from apps.simulator.domain.shapes import DAY_MS
from apps.simulator.hub import wall_clock
from apps.simulator.tests.conftest import Running

#: When something happened, by market.
Moments = Mapping[str, list[int]]
LABEL = "trader"
HISTORY_BEGINS = 1_672_531_200_000
WRONG_SECRETS = {
    "binance": "not-the-secret",
    "kraken": "bm90LXRoZS1zZWNyZXQ=",
    "kucoin": "not-the-secret",
    "coinbase": ec.derive_private_key(4711, ec.SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode(),
}


def _windows(length: int) -> Iterator[tuple[int, int]]:
    now, start = wall_clock(), HISTORY_BEGINS
    while start < now:
        yield start, min(start + length, now)
        start += length


def _windows_around(length: int, moments: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the windows in which something happened and their neighbors: what is asked for twice would show there."""
    places = {(moment - HISTORY_BEGINS) // length + step for moment in moments for step in (-1, 0, 1)}
    yield from (one for place, one in enumerate(_windows(length)) if place in places)


def _truth(running: Running, venue: str, label: str = LABEL) -> Any:
    return running.ask(venue, f"truth/{label}")


def _balances(client: Any) -> dict[str, Decimal]:
    """Return balances the way each exchange gives all of them, flavors of a coin folded into it."""
    rows: list[tuple[str, str]]
    if client.id == "kucoin":
        rows = [(row["currency"], row["balance"]) for row in client.privateGetAccounts()["data"]]
    else:
        rows = list(client.fetch_balance()["total"].items())
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    with localcontext(prec=60):
        for asset, amount in rows:
            sums[asset.partition(".")[0]] += Decimal(amount)
    return {asset: amount for asset, amount in sums.items() if amount}


def test_balances_are_the_truth_to_the_last_digit(running: Running, venue: str) -> None:
    truth = {asset: Decimal(amount) for asset, amount in _truth(running, venue)["balances"].items()}
    assert _balances(running.keyed(venue, LABEL)) == truth


def test_kraken_keeps_what_was_staked_under_a_name_of_its_own(running: Running) -> None:
    assert any(asset.endswith(".S") for asset in running.keyed("kraken", "main").fetch_balance()["total"])


def test_kucoin_shows_one_kind_of_account_at_a_time(running: Running) -> None:
    client = running.keyed("kucoin", LABEL)
    truth = {asset: Decimal(amount) for asset, amount in _truth(running, "kucoin")["balances"].items()}
    kinds = [client.fetch_balance({"type": kind})["total"] for kind in ("main", "spot")]
    assert all(Decimal(kind["USDT"]) < truth["USDT"] for kind in kinds)


def test_coinbase_gives_the_same_balances_by_both_ways(running: Running) -> None:
    wallet = running.keyed("coinbase", LABEL, options={"fetchBalance": "v2PrivateGetAccounts"})
    assert _balances(wallet) == _balances(running.keyed("coinbase", LABEL))


def _binance_fills(client: Any, known: Moments) -> Iterator[dict[str, Any]]:
    for symbol in sorted(known):
        last = 0
        while page := client.fetch_my_trades(symbol, params={"fromId": last + 1}, limit=100):
            yield from page
            last = int(page[-1]["id"])


def _kraken_fills(client: Any, _: Moments) -> Iterator[dict[str, Any]]:
    offset = 0
    while page := client.fetch_my_trades(params={"ofs": offset}):
        assert len(page) <= 50
        yield from page
        offset += len(page)


def _coinbase_fills(client: Any, _: Moments) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        answer = client.v3PrivateGetBrokerageOrdersHistoricalFills({"limit": 40, **cursor})
        assert len(answer["fills"]) <= 40
        yield from client.parse_trades(answer["fills"])
        if not answer["cursor"]:
            return
        cursor = {"cursor": answer["cursor"]}


def _kucoin_fills(client: Any, known: Moments) -> Iterator[dict[str, Any]]:
    moved = 1_735_689_600_000  # to the newer system
    older = [ts for moments in known.values() for ts in moments if ts < moved]
    for start, end in _windows_around(7 * DAY_MS, [*older, moved]):
        yield from client.fetch_my_trades(since=start, params={"hf": False, "until": end - 1, "pageSize": 500})
    for symbol, moments in sorted(known.items()):
        for start, end in _windows_around(7 * DAY_MS, [ts for ts in moments if ts >= moved] or [moved]):
            yield from client.fetch_my_trades(symbol, start, 100, {"hf": True, "until": end - 1})


FILLS: dict[str, Callable[[Any, Moments], Iterator[dict[str, Any]]]] = {
    "binance": _binance_fills,
    "coinbase": _coinbase_fills,
    "kraken": _kraken_fills,
    "kucoin": _kucoin_fills,
}


def test_paging_to_the_end_finds_every_fill_once_and_exactly(running: Running, venue: str) -> None:
    known = running.world.fills(running.account(venue, LABEL), wall_clock())
    client = running.keyed(venue, LABEL)
    moments: defaultdict[str, list[int]] = defaultdict(list)
    for one in known:
        moments[one.symbol].append(one.ts)
    found = list(FILLS[venue](client, moments))
    assert len(found) == len(known) == _truth(running, venue)["trades"] > 60
    by_order = {(fill.symbol, fill.ts, fill.order_id): fill for fill in known}
    assert len({fill["id"] for fill in found}) == len(known)
    for fill in found:
        same = [item for item in known if fill["id"] in {item.id, str(item.number)}]
        assert len(same) == 1
        assert (fill["symbol"], fill["side"], fill["timestamp"]) == (same[0].symbol, same[0].side, same[0].ts)
        assert Decimal(fill["amount"]) == same[0].amount
        assert Decimal(fill["price"]) == same[0].price
        assert Decimal(fill["fee"]["cost"]) == same[0].fee
        assert fill["fee"]["currency"] == same[0].fee_asset
    assert by_order


def _kucoin_pages(call: Callable[[dict[str, int]], Any]) -> int:
    first = call({"pageSize": 10, "currentPage": 1})["data"]
    rows = list(first["items"])
    for page in range(2, int(first["totalPage"]) + 1):
        rows += call({"pageSize": 10, "currentPage": page})["data"]["items"]
    return len(rows)


def _transfers(client: Any) -> tuple[int, int]:
    """Return how many deposits and withdrawals are found when all of history is read as each exchange wants it."""
    if client.id == "kraken":
        return len(client.fetch_deposits()), len(client.fetch_withdrawals())
    if client.id == "kucoin":
        return _kucoin_pages(client.privateGetDeposits), _kucoin_pages(client.privateGetWithdrawals)
    if client.id == "binance":
        windows = [start for start, _ in _windows(90 * DAY_MS)]
        counts = [
            sum(len(fetch(since=start)) for start in windows) + len(fetch(params={"fiat": True}))
            for fetch in (client.fetch_deposits, client.fetch_withdrawals)
        ]
        return counts[0], counts[1]
    kinds = [row["type"] + row["amount"]["amount"][:1] for row in _coinbase_transactions(client)]
    left = kinds.count("send-") + kinds.count("fiat_withdrawal-")
    return len([kind for kind in kinds if kind.startswith(("send", "fiat_deposit"))]) - kinds.count("send-"), left


def _coinbase_transactions(client: Any) -> Iterator[dict[str, Any]]:
    """Yield everything that ever happened in the wallets that hold something, page by page."""
    wallets = client.v2PrivateGetAccounts({"limit": 250})["data"]
    for wallet in [wallet for wallet in wallets if Decimal(wallet["balance"]["amount"])]:
        after: dict[str, str] = {}
        while True:
            ask = {"account_id": wallet["id"], "limit": 100, **after}
            answer = client.v2PrivateGetAccountsAccountIdTransactions(ask)
            yield from answer["data"]
            if answer["pagination"]["next_uri"] is None:
                break
            after = {"starting_after": answer["pagination"]["next_starting_after"]}


def test_all_deposits_and_withdrawals_are_found(running: Running, venue: str) -> None:
    truth = _truth(running, venue)
    assert _transfers(running.keyed(venue, LABEL)) == (truth["deposits"], truth["withdrawals"])
    assert truth["deposits"] > 0


def test_fiat_comes_by_its_own_way_at_coinbase(running: Running) -> None:
    client = running.keyed("coinbase", "main")
    fiat = [
        item
        for item in running.world.deposits(running.account("coinbase", "main"), wall_clock())
        if item.kind == "fiat"
    ]
    usd = [item for item in fiat if item.asset == "USD"]
    found = client.fetch_deposits("USD")
    assert len(found) == len(usd)
    assert {Decimal(item["amount"]) for item in found} == {item.amount for item in usd}


def _rewards(client: Any, moments: list[int]) -> int:
    if client.id == "kraken":
        return sum(int(client.privatePostLedgers({"type": kind})["result"]["count"]) for kind in ("staking", "earn"))
    if client.id == "binance":
        dividends = [
            client.sapiGetAssetAssetDividend({"startTime": start, "endTime": end - 1, "limit": 500})
            for start, end in _windows(180 * DAY_MS)
        ]
        assert all(len(answer["rows"]) == int(answer["total"]) for answer in dividends)
        return sum(int(answer["total"]) for answer in dividends)
    if client.id == "kucoin":
        rows = [
            row
            for start, end in _windows_around(7 * DAY_MS, moments)
            for row in client.privateGetHfAccountsLedgers({"startAt": start, "endAt": end - 1, "limit": 200})["data"]
        ]
        return len([row for row in rows if row["bizType"] in {"Staking Profits", "Airdrop/Fork"}])
    return len([row for row in _coinbase_transactions(client) if row["type"] in {"staking_reward", "earn_payout"}])


def test_all_rewards_are_found(running: Running, venue: str) -> None:
    moments = [one.ts for one in running.world.rewards(running.account(venue, LABEL), wall_clock())]
    assert _rewards(running.keyed(venue, LABEL), moments) == _truth(running, venue)["rewards"] > 0


def test_ledgers_end_at_the_balance(running: Running) -> None:
    client = running.keyed("kraken", LABEL)
    newest: dict[str, Decimal] = {}
    offset = 0
    while page := client.privatePostLedgers({"ofs": offset})["result"]["ledger"]:
        for entry in page.values():
            newest.setdefault(entry["asset"], Decimal(entry["balance"]))
        offset += len(page)
    balances = client.privatePostBalance()["result"]
    folded: defaultdict[str, Decimal] = defaultdict(Decimal)
    for asset, amount in newest.items():
        folded[client.safe_currency_code(asset).partition(".")[0]] += amount
    truth = _truth(running, "kraken")["balances"]
    assert {asset: amount for asset, amount in folded.items() if amount} == {
        asset: Decimal(amount) for asset, amount in truth.items()
    }
    assert set(balances) >= {"ZUSD"}


def _rights(client: Any) -> tuple[bool, bool, bool]:
    """Return whether a key may read, trade, and take money out, in each exchange's own words."""
    if client.id == "binance":
        told = client.sapiGetAccountApiRestrictions()
        return told["enableReading"], told["enableSpotAndMarginTrading"], told["enableWithdrawals"]
    if client.id == "coinbase":
        told = client.v3PrivateGetBrokerageKeyPermissions()
        return told["can_view"], told["can_trade"], told["can_transfer"]
    if client.id == "kraken":
        words = set(client.privatePostGetApiKeyInfo()["result"]["permissions"])
        return "query-funds" in words, "modify-trades" in words, "withdraw-funds" in words
    words = set(client.privateGetUserApiKey()["data"]["permission"].split(", "))
    return "General" in words, "Spot" in words, "TransferOut" in words


def test_a_key_says_what_it_may_do(running: Running, venue: str) -> None:
    assert _rights(running.keyed(venue, "main")) == (True, False, False)
    assert _rights(running.keyed(venue, "trader")) == (True, True, False)
    assert _rights(running.keyed(venue, "treasury")) == (True, True, True)


def test_coinbase_takes_both_kinds_of_key(running: Running) -> None:
    edwards = running.keyed("coinbase", "edwards")
    truth = {asset: Decimal(amount) for asset, amount in _truth(running, "coinbase", "edwards")["balances"].items()}
    assert _balances(edwards) == truth


def _read(client: Any) -> Any:
    return client.privateGetAccounts() if client.id == "kucoin" else client.fetch_balance()


def test_a_wrong_secret_is_refused(running: Running, venue: str) -> None:
    refusal = ccxt.ExchangeError if venue == "kraken" else ccxt.AuthenticationError
    with pytest.raises(refusal, match=r"(?i)signature|KC-API"):
        _read(running.keyed(venue, LABEL, secret=WRONG_SECRETS[venue]))


def test_an_unknown_key_is_refused(running: Running, venue: str) -> None:
    with pytest.raises(ccxt.AuthenticationError):
        _read(running.keyed(venue, LABEL, apiKey="organizations/0/apiKeys/0"))


def test_a_wrong_passphrase_is_refused(running: Running) -> None:
    with pytest.raises(ccxt.AuthenticationError, match="PASSPHRASE"):
        _read(running.keyed("kucoin", LABEL, password="not-it"))


def test_a_stale_time_stamp_is_refused(running: Running) -> None:
    for venue, expected in (("binance", ccxt.InvalidNonce), ("kucoin", ccxt.InvalidNonce)):
        client = running.keyed(venue, LABEL)
        client.nonce = lambda: wall_clock() - 60_000
        with pytest.raises(expected):
            _read(client)
    coinbase = running.keyed("coinbase", LABEL)
    coinbase.seconds = lambda: wall_clock() // 1000 - 600
    with pytest.raises(ccxt.AuthenticationError, match="expired"):
        _read(coinbase)


def test_a_nonce_that_does_not_rise_is_refused(running: Running) -> None:
    client = running.keyed("kraken", "main")
    _read(client)
    client.incrementing_nonce = lambda: wall_clock() - 60_000
    with pytest.raises(ccxt.InvalidNonce):
        _read(client)


def test_windows_and_ranges_that_are_too_long_are_refused(running: Running) -> None:
    binance = running.keyed("binance", LABEL)
    with pytest.raises(ccxt.ExchangeError, match="0-90 days"):
        binance.sapiGetCapitalDepositHisrec({"startTime": HISTORY_BEGINS, "endTime": wall_clock()})
    with pytest.raises(ccxt.ExchangeError, match="24 hours"):
        binance.privateGetMyTrades({"symbol": "BTCUSDT", "startTime": HISTORY_BEGINS, "endTime": wall_clock()})
    with pytest.raises(ccxt.ExchangeError, match="symbol"):
        binance.privateGetMyTrades({})
    kucoin = running.keyed("kucoin", LABEL)
    with pytest.raises(ccxt.ExchangeError, match="time range"):
        kucoin.privateGetFills({"startAt": HISTORY_BEGINS, "endAt": wall_clock()})


def test_a_posted_trade_is_seen_at_once(running: Running, control: Callable[..., Any]) -> None:
    body = {"label": "trader", "symbol": "BTC/USD", "side": "buy", "amount": "0.001"}
    trade = control("kraken", "trade", "POST", body)
    client = running.keyed("kraken", LABEL)
    newest = client.fetch_my_trades()[-1]
    assert newest["id"] == trade["id"]
    assert _balances(client) == {
        asset: Decimal(amount) for asset, amount in _truth(running, "kraken")["balances"].items()
    }


REFUSALS = {
    ("binance", "429"): ccxt.DDoSProtection,
    ("binance", "418"): ccxt.DDoSProtection,
    ("binance", "5xx"): ccxt.ExchangeNotAvailable,
    ("binance", "revoke_key"): ccxt.AuthenticationError,
    ("coinbase", "429"): ccxt.RateLimitExceeded,
    ("coinbase", "5xx"): ccxt.ExchangeError,
    ("coinbase", "revoke_key"): ccxt.AuthenticationError,
    ("kraken", "429"): ccxt.DDoSProtection,
    ("kraken", "418"): ccxt.DDoSProtection,
    ("kraken", "5xx"): ccxt.ExchangeNotAvailable,
    ("kraken", "revoke_key"): ccxt.AuthenticationError,
    ("kucoin", "429"): ccxt.RateLimitExceeded,
    ("kucoin", "418"): ccxt.ExchangeError,
    ("kucoin", "5xx"): ccxt.ExchangeNotAvailable,
    ("kucoin", "revoke_key"): ccxt.AuthenticationError,
}


@pytest.mark.parametrize(("where", "fault"), sorted(REFUSALS))
def test_faults_are_said_in_the_exchange_s_own_words(
    running: Running, control: Callable[..., Any], where: str, fault: str
) -> None:
    client = running.keyed(where, LABEL)
    control(where, "faults", "POST", {"fault": fault, "count": None, "seconds": 20})
    with pytest.raises(REFUSALS[where, fault]):
        _read(client)
    if fault in {"429", "418"}:
        headers = {name.lower(): text for name, text in client.last_response_headers.items()}
        assert int(headers["retry-after"]) > 0


async def test_the_async_client_reads_the_same(running: Running, venue: str) -> None:
    client = running.keyed(venue, "main", module=ccxt_async)
    try:
        assert (await client.fetch_ticker("BTC/USDT"))["last"] is not None
        balance = await client.fetch_balance()
        assert len(balance["total"]) > 3
        assert (await client.fetch_ohlcv("BTC/USDT", "1h"))[-1][4] is not None
    finally:
        await client.close()
