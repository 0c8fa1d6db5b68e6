"""What the exports of exchanges come down to, and the answer key of the synthetic ones."""

import json
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from apps.core.money import plain
from apps.portfolios.domain.booking import book
from apps.portfolios.domain.drafts import EntryDraft, entry_of
from apps.portfolios.domain.importing import FORMATS, read_file
from apps.portfolios.domain.policy import parse_policy
from apps.portfolios.domain.result import as_portable
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.tests.told import golden, told

SYNTHETIC = Path(settings.BASE_DIR).parent / "shared" / "data" / "exchange_csv" / "synthetic"
CENT = Decimal("0.01")

BINANCE = golden("binance_history.csv")
BINANCE_TOLD = [
    "2 2024-01-01T00:00:00Z transfer 1000 USDT outside -> Binance",
    "3 2024-01-01T00:00:01Z buy 500 EUR",
    "4 ~ money",
    "5 2024-01-02T10:00:00Z trade 200 USDT -> 2 SOL = 200 fee 0.0001 BNB",
    "8 2024-01-03T10:00:00Z trade 1 SOL -> 110 USDT = 110 fee 0.11 USDT fee = 0.11 on out",
    "11 2024-01-04T10:00:00Z buy 1 ETH = 2000 fee 0.002 BNB",
    "11 2024-01-04T10:00:00Z fee 0.001 ETH",
    "15 2024-01-05T10:00:00Z trade 0.01 SOL -> 0.002 BNB",
    "17 2024-01-05T10:00:00Z trade 3 XRP -> 0.003 BNB",
    "19 ~ internal",
    "20 ~ internal",
    "21 ~ internal",
    "22 2024-01-07T10:00:00Z income 0.00000005 BTC interest",
    "23 2024-01-07T10:00:01Z income 0.5 USDC interest = 0.5",
    "24 ~ nothing_to_book",
    "25 2024-01-08T10:00:00Z transfer 0.01 BTC Binance -> outside",
    "26 2024-01-08T10:00:01Z sell 10 EUR",
    "27 ! sign_unexpected",
    "28 2024-01-09T10:00:00Z spend 0.5 BNB",
    "29 2024-01-09T10:00:01Z fee 0.5 BNB",
    "30 ~ nothing_to_book",
    "31 2024-01-10T10:00:00Z buy 25 USDC = 25",
    "32 2024-01-10T10:00:01Z sell 0.5 BTC",
    "33 2024-01-11T10:00:00Z trade 100 USDT -> 1 SOL = 100 fee 0.001 SOL fee = 0.1",
    "35 2024-01-11T10:00:00Z trade 1 ETH -> 2000 USDT = 2000 fee 2 USDT fee = 2 on out",
    "39 ! kind_unsupported",
    "40 ! kind_unknown",
    "41 ! sign_unexpected",
    "42 ! cell_missing",
    "43 ! number_bad",
    "44 ! event_incomplete",
    "45 ! event_incomplete",
    "46 ! same_asset",
    "47 ! same_asset",
    "48 ! sign_unexpected",
    "49 ! sign_unexpected",
    "50 ! sign_unexpected",
]


def test_lines_of_one_binance_event_become_one_entry() -> None:
    assert told(BINANCE) == BINANCE_TOLD


HEAD = BINANCE.splitlines()[0]


def _lines(*lines: str) -> str:
    return "\n".join([HEAD, *(f"1,2024-01-01 00:00:00,Spot,{line}," for line in lines)]) + "\n"


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        (  # fills of one second, each with its own fee
            ["Buy,ETH,2", "Buy,USDT,-201", "Fee,ETH,-0.002", "Buy,ETH,1", "Buy,USDT,-100", "Fee,ETH,-0.001"],
            ["trade 201 USDT -> 2 ETH = 201 fee 0.002 ETH", "trade 100 USDT -> 1 ETH = 100 fee 0.001 ETH"],
        ),
        (  # fills without fees
            ["Buy,ETH,2", "Buy,USDT,-200", "Buy,ETH,1", "Buy,USDT,-100"],
            ["trade 200 USDT -> 2 ETH = 200", "trade 100 USDT -> 1 ETH = 100"],
        ),
        (  # amounts that do not pair off are one exchange
            ["Buy,ETH,2", "Buy,USDT,-100", "Buy,ETH,1", "Buy,USDT,-300"],
            ["trade 400 USDT -> 3 ETH = 400"],
        ),
        (  # two exchanges of different coins, the lines of each together
            ["Buy,ETH,2", "Buy,USDT,-200", "Fee,BNB,-1", "Buy,SOL,1", "Buy,USDT,-100", "Fee,BNB,-2"],
            ["trade 200 USDT -> 2 ETH = 200 fee 1 BNB", "trade 100 USDT -> 1 SOL = 100 fee 2 BNB"],
        ),
        (["Buy,ETH,2", "Buy,SOL,1", "Buy,USDT,-200", "Buy,USDT,-100"], ["! event_ambiguous"] * 4),
        (["Buy,ETH,2", "Buy,SOL,1", "Buy,USDT,-200"], ["! event_ambiguous"] * 3),
        (  # a purchase and a sale whose fee could be of either
            ["Transaction Buy,SOL,1", "Transaction Spend,USDT,-100", "Transaction Sold,ETH,-1",
             "Transaction Revenue,USDT,2000", "Transaction Fee,BNB,-1"],
            ["! event_ambiguous"] * 5,
        ),
    ],
)  # fmt: skip
def test_exchanges_of_one_second_are_told_apart_or_refused(lines: list[str], outcome: list[str]) -> None:
    found = [line.partition(" ")[2].removeprefix("2024-01-01T00:00:00Z ") for line in told(_lines(*lines))]
    assert len(found) == len(outcome)
    assert all(one.startswith(other) for one, other in zip(found, outcome, strict=True)), found


def test_binance_trade_histories() -> None:
    new = (
        '"Date(UTC)","Pair","Side","Price","Executed","Amount","Fee"\n'
        '"2024-01-01 10:00:00","1INCHUSDT","BUY","0.5","1001INCH","50.0000USDT","0.11INCH"\n'
        '"2024-01-01 10:00:01","BTCUSDT","SELL","40000","0.1BTC","4,000USDT","0.001BNB"\n'
        '"2024-01-01 10:00:02","BTCUSDT","HOLD","40000","0.1BTC","4000USDT","0.001BNB"\n'
    )
    assert told(new) == [
        "2 2024-01-01T10:00:00Z trade 50 USDT -> 100 1INCH = 50 fee 0.1 1INCH fee = 0.05",
        "3 2024-01-01T10:00:01Z trade 0.1 BTC -> 4000 USDT = 4000 fee 0.001 BNB on out",
        "4 ! kind_unknown",
    ]
    old = (
        "Date(UTC),Market,Type,Price,Amount,Total,Fee,Fee Coin\n"
        "2018-01-01 10:00:00,ETHBTC,BUY,0.05,2,0.1,0.002,ETH\n"
        "2018-01-01 10:00:00,ETHUSD,SELL,500,2,1000,0,\n"
    )
    assert told(old) == [
        "2 2018-01-01T10:00:00Z trade 0.1 BTC -> 2 ETH fee 0.002 ETH",
        "3 2018-01-01T10:00:00Z sell 2 ETH = 1000",
    ]


KRAKEN = golden("kraken_ledgers.csv")


def test_lines_of_one_kraken_reference_become_one_entry() -> None:
    assert told(KRAKEN) == [
        "2 ~ money",
        "3 ~ pending",
        "4 2024-01-01T00:00:03Z transfer 1 BTC outside -> Kraken",
        "4 2024-01-01T00:00:03Z fee 0.1 BTC",
        "5 2024-01-02T00:00:00Z buy 0.25 ETH = 500 fee 1.3 USD",
        "7 2024-01-03T00:00:00Z trade 0.1 ETH -> 0.005 BTC fee 0.0001 ETH",
        "9 2024-01-04T00:00:00Z trade 10 EUR -> 100 DOGE fee 0.15 EUR",
        "11 ~ internal",
        "12 ~ internal",
        "13 2024-01-06T00:00:00Z income 0.02 DOT staking",
        "14 2024-01-06T00:00:00Z income 0.015 ETH staking",
        "15 2024-01-07T00:00:00Z transfer 0.5002 BTC Kraken -> outside received 0.5",
        "16 ! kind_unsupported",
        "17 ! kind_unknown",
        "18 ! event_incomplete",
        "19 ! cell_missing",
        "20 ! amount_not_positive",
        "21 ~ nothing_to_book",
        "22 2024-01-11T00:00:00Z buy 0.01 ETH = 30",
        "24 2024-01-11T00:00:00Z buy 1 SOL = 20",
        "26 ! event_incomplete",
        "27 ! event_incomplete",
    ]
    ids = [draft.external_id for draft in read_file(data=KRAKEN.encode()).drafts]
    assert read_file(data=KRAKEN.encode()).lines == 26
    assert ids == ["D2", "D2:fee", "T1", "T2", "S1", "R1", "R2", "W1", "T4", "T4:2"]


def test_kraken_trades_have_the_ids_of_the_ledgers() -> None:
    text = (
        '"txid","ordertxid","pair","time","type","ordertype","price","cost","fee","vol","margin","misc","ledgers"\n'
        '"T1","O1","XETHZUSD","2024-01-02 00:00:00.1234","buy","limit",2000,500,1.3,0.25,0,"","L3,L4"\n'
        '"T2","O1","XBT/EUR","2024-01-02 00:00:00","sell","limit",2000,500,0,0.25,,"",""\n'
        '"T3","O1","XBT/EUR","2024-01-02 00:00:00","short","limit",2000,500,0,0.25,,"",""\n'
        '"T4","O1","XBT/EUR","2024-01-02 00:00:00","sell","limit",2000,500,0,0.25,100,"",""\n'
        '"T5","O1","XBT/EUR","2024-01-02 00:00:00","sell","limit",2000,500,0,0,,"",""\n'
    )
    assert told(text) == [
        "2 2024-01-02T00:00:00.123400Z buy 0.25 ETH = 500 fee 1.3 USD",
        "3 2024-01-02T00:00:00Z trade 0.25 BTC -> 500 EUR",
        "4 ! kind_unknown",
        "5 ! kind_unsupported",
        "6 ! amount_not_positive",
    ]
    assert [draft.external_id for draft in read_file(data=text.encode()).drafts] == ["T1", "T2"]


COINBASE = golden("coinbase_transactions.csv")


def test_coinbase_transactions() -> None:
    assert told(COINBASE) == [
        "5 2024-12-13T16:56:03Z sell 5.3 SOL = 1195.15 fee 7.17 USD",
        "6 2024-12-12T16:56:03Z trade 1000 EUR -> 0.5 ETH fee 1 EUR",
        "7 2024-12-11T16:56:03Z trade 0.5 ETH -> 990 USDC = 1000 fee 10 USD on out",
        "8 ~ nothing_to_book",
        "9 ! conversion_unclear",
        "10 2024-12-10T16:56:03Z income 0.001 ETH staking = 2",
        "11 2024-12-10T16:56:03Z income 0.001 ETH reward",
        "12 2024-12-09T16:56:03Z transfer 0.1 BTC Coinbase -> outside",
        "13 2024-12-09T16:56:03Z transfer 0.1 BTC outside -> Coinbase",
        "14 ~ money",
        "15 ~ nothing_to_book",
        "16 2024-12-07T16:56:03Z transfer 0.2 BTC Coinbase -> outside",
        "17 2024-12-07T16:56:03Z transfer 0.2 BTC outside -> Coinbase",
        "18 2024-12-06T16:56:03Z spend 0.01 BTC = 500",
        "19 ! kind_unknown",
        "20 ! cell_missing",
    ]
    drafts = read_file(data=COINBASE.encode()).drafts
    assert (drafts[0].external_id, drafts[0].note, drafts[0].sequence > drafts[1].sequence) == ("a1", "Sold", True)


def test_old_coinbase_exports_have_their_money_in_the_columns() -> None:
    text = (
        "Timestamp,Transaction Type,Asset,Quantity Transacted,"
        "EUR Spot Price at Transaction,EUR Subtotal,EUR Fees,Notes\n"
        "2020-01-01T10:00:00Z,Buy,BTC,0.1,7000,700.00,10.00,\n"
        "2020-01-02T10:00:00Z,Coinbase Earn,XLM,10,0.1,1.00,0.00,\n"
    )
    assert told(text, currency="EUR") == [
        "2 2020-01-01T10:00:00Z buy 0.1 BTC = 700 fee 10 EUR",
        "3 2020-01-02T10:00:00Z income 10 XLM reward = 1",
    ]
    bare = "Timestamp,Transaction Type,Asset,Quantity Transacted,Subtotal\n2020-01-01T10:00:00Z,Buy,BTC,0.1,700.00\n"
    assert told(bare) == ["2 2020-01-01T10:00:00Z buy 0.1 BTC = 700"]


PRO = golden("coinbase_pro_account.csv")


def test_coinbase_pro_statements_and_fills() -> None:
    assert told(PRO) == [
        "2 2018-03-15T10:42:31.215000Z transfer 2.5 BTC outside -> Coinbase",
        "3 2018-03-15T10:55:12.843000Z trade 1 BTC -> 50 ETH fee 0.003 BTC",
        "6 2018-08-10T18:33:15.078000Z transfer 50 ETH Coinbase -> outside",
        "7 2018-08-10T18:33:15.078000Z income 0.1 BTC reward",
        "8 ! kind_unknown",
        "9 2018-08-11T18:33:15.078000Z buy 10 USDC = 10",
        "11 ! event_incomplete",
        "12 2018-08-13T10:55:12.843000Z sell 1 BTC = 10",
        "14 2018-08-13T10:55:12.843000Z buy 2 SOL = 4",
    ]
    fills = (
        "portfolio,trade id,product,side,created at,size,size unit,price,fee,total,price/fee/total unit\n"
        "default,7,BTC-USD,BUY,2018-03-15T10:55:12.843Z,0.5,BTC,8000,10,-4010,USD\n"
        "default,8,BTC-USD,SELL,2018-03-15T10:55:12.843Z,0.5,BTC,8000,,4000,USD\n"
        "default,9,BTC-USD,LEND,2018-03-15T10:55:12.843Z,0.5,BTC,8000,,4000,USD\n"
    )
    assert told(fills) == [
        "2 2018-03-15T10:55:12.843000Z buy 0.5 BTC = 4000 fee 10 USD",
        "3 2018-03-15T10:55:12.843000Z sell 0.5 BTC = 4000",
        "4 ! kind_unknown",
    ]


def test_kucoin_trades_and_orders() -> None:
    spot = (
        "tradeCreatedAt,symbol,side,price,size,funds,fee,feeCurrency\n"
        "2022-01-08 23:16:18,ETH-USDT,buy,3000,0.5,1500,1.5,USDT\n"
        "2022-01-08 23:16:18,ETH-USDT,sell,3000,0.5,1500,0.1,KCS\n"
        "2022-01-08 23:16:18,ETH-USDT,swap,3000,0.5,1500,0.1,KCS\n"
    )
    assert told(spot) == [
        "2 2022-01-08T23:16:18Z trade 1500 USDT -> 0.5 ETH = 1500 fee 1.5 USDT fee = 1.5",
        "3 2022-01-08T23:16:18Z trade 0.5 ETH -> 1500 USDT = 1500 fee 0.1 KCS on out",
        "4 ! kind_unknown",
    ]
    assert told(golden("kucoin_orders.csv")) == [
        "2 2024-01-01T20:00:00Z trade 20000 USDT -> 0.5 BTC = 20000 fee 20 USDT fee = 20",
        "3 ~ nothing_to_book",
        "4 ~ nothing_to_book",
    ]


KUCOIN_LEDGER = golden("kucoin_ledger.csv")


def test_kucoin_ledger_deposits_and_withdrawals() -> None:
    assert told(KUCOIN_LEDGER) == [
        "2 2024-01-01T00:00:00Z transfer 1000 USDT outside -> KuCoin",
        "3 ~ internal",
        "4 2024-01-02T00:00:00Z trade 100 USDT -> 0.05 ETH = 100 fee 0.1 USDT fee = 0.1",
        "6 2024-01-03T00:00:00Z income 0.1 KCS reward",
        "7 2024-01-04T00:00:00Z transfer 0.5 BTC KuCoin -> outside received 0.4995",
        "8 ! kind_unsupported",
        "9 ! kind_unknown",
        "10 ! kind_unknown",
        "11 ! event_incomplete",
    ]
    head = "UID,Account Type,Time(UTC),Coin,Amount,Fee,Hash,{},Transfer Network,Status,Remarks\n"
    row = "1,mainAccount,2024-01-01 00:00:00,BTC,0.5,{},0xabc,bc1q,BTC,{},{}\n"
    arrived = head.format("Deposit Address") + row.format("0", "SUCCESS", "hello") + row.format("0", "FAILURE", "")
    assert told(arrived) == ["2 2024-01-01T00:00:00Z transfer 0.5 BTC outside -> KuCoin", "3 ~ nothing_to_book"]
    draft = read_file(data=arrived.encode()).drafts[0]
    assert (draft.tx_hash, draft.address, draft.note) == ("0xabc", "bc1q", "hello")
    sent = head.format("Withdrawal Address/Account") + row.format("0.0005", "SUCCESS", "")
    assert told(sent) == ["2 2024-01-01T00:00:00Z transfer 0.5005 BTC KuCoin -> outside received 0.5"]


def test_binance_deposits_and_withdrawals_bring_their_hash() -> None:
    came = "Date(UTC+0),Coin,Network,Amount,Address,TXID,Status\n24-05-01 10:00:00,BTC,BTC,0.5,bc1qme,{0},{1}\n"
    assert told(came.format("ab12", "Completed")) == ["2 2024-05-01T10:00:00Z transfer 0.5 BTC outside -> Binance"]
    assert told(came.format("ab12", "Pending")) == ["2 ~ nothing_to_book"]
    went = (
        "Date(UTC),Coin,Network,Amount,{0},Address,TXID,Status\n"
        "2023-06-10 16:22:40,OP,OPTIMISM,57.86,0.09,0xCf,0xea81,Completed\n"
        "2023-06-10 16:22:41,OP,OPTIMISM,1,{1},0xCf,0xea82,Completed\n"
        "2023-06-10 16:22:42,OP,OPTIMISM,1,0,0xCf,0xea82,Failed\n"
    )
    sent = [
        "2 2023-06-10T16:22:40Z transfer 57.95 OP Binance -> outside received 57.86",
        "3 2023-06-10T16:22:41Z transfer 1 OP Binance -> outside",
        "4 ~ nothing_to_book",
    ]
    for fee in ("Fee", "TransactionFee"):  # where both histories have the same columns, a fee tells which one it is
        assert told(went.format(fee, "0")) == sent
    (first, *_others) = read_file(data=went.format("Fee", "0").encode()).drafts
    assert (first.tx_hash, first.address) == ("0xea81", "0xCf")
    free = went.format("TransactionFee", "x").replace("0.09", "0")
    assert told(free)[:2] == [
        "2 2023-06-10T16:22:40Z transfer 57.86 OP outside -> Binance",
        "3 2023-06-10T16:22:41Z transfer 1 OP outside -> Binance",
    ]
    named = told(free, name="Binance-Withdraw-History-2023.csv")
    assert named[:2] == ["2 2023-06-10T16:22:40Z transfer 57.86 OP Binance -> outside", "3 ! number_bad"]


# --- The answer key --------------------------------------------------------------------------------------------------
def _booked(drafts: list[EntryDraft], method: str) -> dict[str, object]:
    """Book the drafts, coins whose price the files do not tell at zero, as the key leaves them out."""
    entries = []
    for number, draft in enumerate(sorted(drafts, key=lambda one: (one.at_us, one.sequence))):
        unpriced = draft.fee and draft.fee_asset not in {None, "USD"} and draft.fee_value is None
        entries.append(entry_of(replace(draft, fee_value=Decimal(0)) if unpriced else draft, entry_id=str(number)))
    return as_portable(book(entries, parse_policy({"method": method}), quote="USD"))


@pytest.mark.skipif(not SYNTHETIC.is_dir(), reason="no ../shared/data beside this checkout")
@pytest.mark.parametrize(
    "name", ["kraken_ledgers.csv", "coinbase_transactions.csv", "binance_transactions.csv", "kucoin_spot_trades.csv"]
)
def test_the_answer_key_is_met_to_the_cent(name: str) -> None:
    key = json.loads((SYNTHETIC / "expected.json").read_text())[name]
    found = read_file(data=(SYNTHETIC / name).read_bytes())
    assert found.errors == []
    earned = [draft for draft in found.drafts if draft.type is EntryType.INCOME]
    told_drafts = [draft for draft in found.drafts if draft.type is not EntryType.INCOME]
    trades = [draft for draft in told_drafts if draft.type is not EntryType.TRANSFER]
    assert len(trades) == key["trades"]
    fees: defaultdict[str, Decimal] = defaultdict(Decimal)
    for draft in trades:
        fees[str(draft.fee_asset)] += draft.fee or 0
    assert {asset: plain(amount) for asset, amount in fees.items()} == key["fees"]
    for method, prefix in (("fifo", "fifo"), ("acb", "average_cost")):
        result = _booked(told_drafts, method)
        gains: defaultdict[str, Decimal] = defaultdict(Decimal)
        for disposal in result["disposals"]:  # type: ignore[attr-defined]
            gains[disposal["asset"]] += Decimal(disposal["gain"])
        expected = key[f"{prefix}_realised_usd"]
        assert {asset: str(gains[asset].quantize(CENT)) for asset in expected} == expected
    lots: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for lot in _booked(told_drafts, "fifo")["remaining_lots"]:  # type: ignore[attr-defined]
        lots[lot["asset"]][0] += Decimal(lot["amount"])
        lots[lot["asset"]][1] += Decimal(lot["cost_basis"])
    for asset, open_lot in key["fifo_open"].items():
        assert [plain(lots[asset][0]), str(lots[asset][1].quantize(CENT))] == [open_lot["qty"], open_lot["cost_usd"]]
    holdings = _booked([*told_drafts, *earned], "fifo")["holdings"][FORMATS[found.format]]  # type: ignore[index]
    held = {asset: amount for asset, amount in key["balances"].items() if asset != "USD"}
    assert {asset: holdings.get(asset, "0") for asset in held} == held
