"""What the exports of other trackers and our own formats come down to."""

import json

from apps.portfolios.domain.importing import read_file
from apps.portfolios.tests.told import golden, told

KOINLY = golden("koinly.csv")


def test_koinly_transactions() -> None:
    assert told(KOINLY) == [
        "2 2024-01-01T10:00:00Z buy 0.5 ETH = 1000 fee 1 USD",
        "3 2024-01-02T10:00:00Z trade 0.5 ETH -> 0.02 BTC = 1100",
        "4 2024-01-03T10:00:00Z transfer 0.02 BTC Kraken -> Ledger received 0.019",
        "5 2024-01-03T11:00:00Z transfer 0.021 BTC Kraken -> Ledger received 0.02",
        "6 2024-01-03T12:00:00Z transfer 5 USDC Kraken -> Ledger",
        "6 2024-01-03T12:00:00Z fee 0.001 ETH",
        "7 ! same_account",
        "8 2024-01-04T10:00:00Z income 1 DOT reward = 7",
        "9 2024-01-05T10:00:00Z transfer 1 DOT outside -> Kraken",
        "9 2024-01-05T10:00:00Z fee 0.1 ETH",
        "10 ! kind_unknown",
        "11 2024-01-06T10:00:00Z transfer 1.1 DOT Kraken -> outside received 1",
        "12 2024-01-06T10:00:00Z transfer 1 DOT Kraken -> outside",
        "12 2024-01-06T10:00:00Z fee 0.1 ETH",
        "13 2024-01-06T10:00:00Z spend 1 DOT",
        "14 2024-01-06T10:00:00Z fee 1 DOT = 8",
        "14 2024-01-06T10:00:00Z fee 0.1 ETH",
        "15 ! kind_unknown",
        "16 2024-01-07T10:00:00Z fee 0.1 ETH",
        "17 ! cell_missing",
        "18 ! kind_unsupported",
        "19 ~ nothing_to_book",
        "20 ! kind_unknown",
    ]
    draft = read_file(data=KOINLY.encode()).drafts[2]
    assert (draft.external_id, draft.tx_hash, draft.address) == ("k3", "0xh", "bc1")


def test_the_universal_format_of_koinly() -> None:
    text = (
        "Date,Sent Amount,Sent Currency,Received Amount,Received Currency,Fee Amount,Fee Currency,Net Worth Amount,"
        "Net Worth Currency,Label,Description,TxHash\n"
        "2024-01-01 10:00:00 UTC,0.1,BTC,4000,USDT,1,USDT,4001,USD,swap,,\n"
        "2024-01-01 10:00:00 UTC,-0.1,BTC,4000,USDT,1,USDT,,,swap,,\n"
        "2024-01-02 10:00:00 UTC,3,XRP,2,XRP,,,,,,,\n"
    )
    assert told(text) == [
        "2 2024-01-01T10:00:00Z trade 0.1 BTC -> 4000 USDT = 4001 fee 1 USDT fee = 1 on out",
        "3 2024-01-01T10:00:00Z trade 0.1 BTC -> 4000 USDT = 4000 fee 1 USDT fee = 1 on out",
        "4 ! same_account",
    ]
    more = (
        text.splitlines()[0].replace("TxHash", "Sending Wallet,Receiving Wallet")
        + "\n2024-01-02,2,XRP,3,XRP,,,,,,,A,B\n"
    )
    assert told(more) == ["2 ! received_too_much"]


COINTRACKING = golden("cointracking.csv")


def test_the_trade_table_of_cointracking_has_fees_in_its_amounts() -> None:
    assert told(COINTRACKING) == [
        "2 2019-08-24T23:01:59Z trade 10.97 EUR -> 0.05772716 ETH fee 0.02 EUR",
        "3 2019-08-25T23:01:59Z trade 0.05 BTC -> 1.001 ETH fee 0.001 ETH",
        "4 2019-08-25T23:02:59Z buy 1 ETH = 200 fee 0.1 BNB",
        "5 2019-09-20T13:00:00Z transfer 0.001367 ETH ETH Wallet -> outside received 0.001267",
        "6 2019-09-20T13:00:01Z transfer 0.5 ETH ETH Wallet -> outside",
        "7 2019-09-20T13:00:02Z transfer 5 USDC ETH Wallet -> outside",
        "7 2019-09-20T13:00:02Z fee 0.0001 ETH",
        "8 2019-09-20T02:01:10Z transfer 0.02 ETH outside -> ETH Wallet",
        "9 2019-09-02T10:00:10Z income 0.001 BTC gift",
        "10 2022-01-05T12:38:00Z income 1 AXS staking",
        "11 2022-01-05T12:38:00Z income 1 AXS staking",
        "12 2022-01-05T12:38:00Z spend 1 AXS",
        "13 2022-01-05T12:38:00Z fee 1 USD = 1",
        "14 ! amount_not_positive",
        "15 ! cell_missing",
        "16 ! kind_unsupported",
        "17 ! kind_unknown",
    ]
    drafts = read_file(data=COINTRACKING.encode()).drafts
    assert len({draft.external_id for draft in drafts}) == len(drafts)
    assert [draft.note for draft in drafts if draft.note] == ["mine", "Just a gift"]


def test_generic_files_of_rotki() -> None:
    trades = (
        "Location,Base Currency,Quote Currency,Type,Buy Amount,Sell Amount,Fee,Fee Currency,Description,Timestamp\n"
        "binance,USDC,ETH,Sell,1.0000,1875.64,,,Trade USDC for ETH,2022-07-29 09:00:00\n"
        "kraken,BTC,LTC,Buy,4.3241,392.8870,0.1,USD,,1659171600000\n"
        "kraken,BTC,LTC,Short,4.3241,392.8870,,,,1659171600000\n"
        "kraken,,LTC,Buy,4.3241,392.8870,,,,1659171600000\n"
    )
    assert told(trades) == [
        "2 2022-07-29T09:00:00Z trade 1875.64 USDC -> 1 ETH = 1875.64",
        "3 2022-07-30T09:00:00Z trade 392.887 LTC -> 4.3241 BTC fee 0.1 USD",
        "4 ! kind_unknown",
        "5 ! cell_missing",
    ]
    events = (
        "Type,Location,Currency,Amount,Fee,Fee Currency,Description,Timestamp\n"
        "Deposit,kucoin,EUR,1000.00,1,EUR,Deposit EUR to Kucoin,1658912400000\n"
        "Withdrawal,binance,USDT,99.00,1.00,USDT,,1658998800000\n"
        "Withdrawal,binance,BTC,1,1.00,USDT,,1658998800000\n"
        "Staking,luno,ETH,0.0513,,,,1659340800000\n"
        "Loss,coinbase,BTC,0.0910,,,,1659430800000\n"
        "Invalid,bisq,BCH,0.3456,,,,1659686400000\n"
    )
    assert told(events) == [
        "2 2022-07-27T09:00:00Z buy 1000 EUR",
        "2 2022-07-27T09:00:00Z fee 1 EUR",
        "3 2022-07-28T09:00:00Z transfer 100 USDT binance -> outside received 99 fee = 1",
        "4 2022-07-28T09:00:00Z transfer 1 BTC binance -> outside",
        "4 2022-07-28T09:00:00Z fee 1 USDT = 1",
        "5 2022-08-01T08:00:00Z income 0.0513 ETH staking",
        "6 2022-08-02T09:00:00Z spend 0.091 BTC",
        "7 ! kind_unknown",
    ]


ROTKI = golden("rotki_events.csv")


def test_history_events_of_rotki() -> None:
    assert told(ROTKI) == [
        "2 2022-07-27T09:00:00Z trade 1 ETH -> 1500 USDC = 1500 fee 1.5 USDC fee = 1.5 on out",
        "5 2022-07-27T09:01:40Z fee 0.001 ETH",
        "6 2022-07-27T09:03:20Z transfer 2 ETH outside -> 0xme",
        "7 2022-07-27T09:03:20Z transfer 2 ETH outside -> kraken",
        "8 2022-07-27T09:03:20Z transfer 2 ETH kraken -> outside",
        "9 2022-07-27T09:03:20Z income 0.1 ETH staking",
        "10 ~ internal",
        "11 ~ internal",
        "12 2022-07-27T09:03:20Z spend 0.1 ETH",
        "13 ! kind_unsupported",
        "14 ! kind_unknown",
        "15 ! asset_bad",
        "16 ! kind_unknown",
        "17 2022-07-27T09:03:20Z sell 1 ETH = 1500",
        "19 2022-07-27T09:03:20Z buy 1 SOL = 30",
    ]
    drafts = read_file(data=ROTKI.encode()).drafts
    assert [draft.external_id for draft in drafts[:2]] == ["g1", "4"]
    assert (drafts[1].tx_hash, drafts[1].note, drafts[-2].external_id, drafts[-1].external_id) == (
        "0xh",
        "gas",
        "h5",
        "h5:2",
    )


GHOSTFOLIO = golden("ghostfolio.csv")


def test_ghostfolio_activities() -> None:
    assert told(GHOSTFOLIO) == [
        "2 2021-09-01T00:00:00Z fee 49 USD = 49",
        "3 2021-09-16T00:00:00Z buy 0.5 BTC = 24000 fee 19 USD",
        "4 2021-09-17T00:00:00Z trade 2 SOL -> 200 EUR",
        "5 2021-09-18T00:00:00Z income 3.1 USD dividend = 3.1",
        "5 2021-09-18T00:00:00Z fee 1 USD = 1",
        "6 ! asset_unknown",
        "7 2021-09-20T00:00:00Z buy 5 KRILL = 10",
        "8 ! kind_unknown",
    ]
    activity = {
        "id": "g1",
        "date": "2021-09-16T00:00:00.000Z",
        "symbol": "bitcoin",
        "dataSource": "COINGECKO",
        "tags": [],
        "currency": "USD",
        "unitPrice": 48000.10,
        "quantity": 1.00000001,
        "type": "BUY",
        "fee": 0,
    }
    exported = json.dumps({"meta": {}, "activities": [activity, {**activity, "type": "ITEM"}]})
    assert told("\ufeff " + exported) == [
        "1 2021-09-16T00:00:00Z buy 1.00000001 BTC = 48000.100480001",
        "2 ! kind_unknown",
    ]
    assert read_file(data=exported.encode(), wanted="ghostfolio").drafts[0].external_id == "g1"


GENERIC = golden("generic.csv")


def test_the_generic_columns() -> None:
    assert told(GENERIC) == [
        "2 2024-01-01T00:00:00Z buy 1.000000000000000001 BTC @ 40000 fee 10 USD",
        "3 2024-01-02T00:00:00Z trade 1 ETH -> 0.05 BTC = 2000 fee 1 BNB fee = 300 on out",
        "4 2024-01-03T00:00:00Z income 0.1 ETH staking = 200",
        "5 2024-01-04T00:00:00Z transfer 0.5 BTC A -> B received 0.4995 fee = 20",
        "6 2024-01-05T00:00:00Z transfer 0.5 BTC outside -> A",
        "7 2024-01-05T00:00:00Z transfer 0.5 BTC A -> outside",
        "8 2024-01-05T00:00:00Z transfer 0.5 BTC A -> outside",
        "9 2024-01-06T00:00:00Z split ? BTC",
        "10 2024-01-06T00:00:00Z trade 200 EUR -> 2 BTC fee 1 EUR",
        "11 ! amount_zero",
        "12 ! account_reserved",
        "13 ~ money",
        "14 2024-01-06T00:00:00Z return_of_capital ? BTC = 50",
        "15 2024-01-06T00:00:00Z buy 2 BTC @ 100",
        "16 2024-01-06T00:00:00Z buy 2 BTC @ 100",
    ]
    found = read_file(data=GENERIC.encode())
    assert (found.drafts[0].external_id, found.drafts[0].note) == ("1", "mine")
    assert found.drafts[-1].external_id != found.drafts[-2].external_id
    assert found.notes == {"money": 1}
    assert [(line, problem.code) for line, problem in found.errors] == [(11, "amount_zero"), (12, "account_reserved")]


def test_portable_json_is_read_exactly() -> None:
    first = '"id": "a", "ts": 1704067200000, "type": "buy", "asset": "BTC", "account": "A"'
    first = f'{{{first}, "amount": 1.000000000000000001, "price": "40000"}}'
    text = f'{{"policy": {{}}, "transactions": [{first}, {{"id": "b", "type": "buy"}}, 3]}}'
    assert told(text) == [
        "1 2024-01-01T00:00:00Z buy 1.000000000000000001 BTC @ 40000",
        "2 ! field_missing",
        "3 ! not_an_object",
    ]
