"""Fees in every coin and under every policy."""

from apps.portfolios.tests.examples.shape import Example, buy, move, row, sell

KOINLY_FEES = "Koinly help 9490025, Trading fees and transaction fees"
JOHN = "Koinly blog, Deducting trading and transfer fees, John"
HILLARY = "Koinly blog, Deducting trading and transfer fees, Hillary; value of the fee by hand"
HILLARYS = [
    buy("b", "2019-01-01", "BTC", "10", "10000", account="coinbase"),
    move("m", "2019-02-01", "BTC", "10", "coinbase", "binance", received="9.99", fee_value="15"),
    sell("s", "2019-03-01", "BTC", "9.99", "20000", account="binance"),
]
COINTRACKER = "CoinTracker help 12029908614289"
BOUGHT = [buy("b", "2020-01-01", "BTC", "1", "10000", fee="100"), sell("s", "2020-06-01", "BTC", "1", "15000")]
WITH_BNB = [
    buy("n", "2020-01-01", "BNB", "10", "100"),
    buy("b", "2020-02-01", "BTC", "1", "10000", fee="2", fee_asset="BNB", fee_value="30"),
    sell("s", "2020-03-01", "BTC", "1", "12000", fee="1", fee_asset="BNB", fee_value="18"),
]
THIRD = "Fee in a third coin: its value once, never twice (rp2 issue 23), by hand"
USDC = [
    buy("b", "2022-01-01", "USDC", "200", "200"),
    sell("s", "2022-02-01", "USDC", "100", "100", fee="1", fee_asset="USDC", fee_value="1"),
]
SWAP = [
    buy("b", "2020-01-01", "BTC", "1", "10000"),
    row(
        "trade",
        "t",
        "2020-02-01",
        out_asset="BTC",
        out_amount="0.5",
        in_asset="ETH",
        in_amount="30",
        value="6000",
        fee="60",
    ),
]

FEES = [
    Example("a fee in money is part of the cost", KOINLY_FEES, BOUGHT, {"s.gain": "4900", "fees_total": "0"}),
    Example(
        "or stands beside it",
        KOINLY_FEES,
        BOUGHT,
        {"s.cost_basis": "10000", "s.gain": "5000", "fees_total": "100"},
        {"fees": "separate"},
    ),
    Example(
        "the fee of a buy lowers the gain of the swap",
        JOHN,
        [
            buy("b", "2019-01-01", "BTC", "1", "1000", fee="10"),
            row(
                "trade",
                "t",
                "2019-06-01",
                out_asset="BTC",
                out_amount="1",
                in_asset="ETH",
                in_amount="10",
                value="2000",
            ),
        ],
        {"t.gain": "990", "remaining_cost.ETH": "2000"},
    ),
    Example(
        "a transfer fee that leaves without a gain",
        HILLARY,
        HILLARYS,
        {"m.gain": "nothing", "s.cost_basis": "9990", "s.gain": "10010", "fees_total": "15", "remaining_lots": ""},
        {"transfer_fee": "consume", "scope": "per_account"},
    ),
    Example(
        "a transfer fee that is a disposal",
        HILLARY,
        HILLARYS,
        {
            "m.gain": "5",
            "m.kind": "transfer_fee",
            "m.account": "coinbase",
            "m.amount": "0.01",
            "s.gain": "10010",
            "realised_total": "10015",
            "fees_total": "15",
        },
    ),
    Example(
        "a stand-alone fee in a coin is a cost and a disposal",
        "Koinly help 4286070, Why is there a profit on cost transactions",
        [
            buy("b", "2020-01-01", "EOS", "100", "100"),
            row("fee", "f", "2020-01-05", asset="EOS", amount="10", value="20"),
        ],
        {"f.kind": "fee", "f.cost_basis": "10", "f.gain": "10", "fees_total": "20", "remaining_cost.EOS": "90"},
    ),
    Example(
        "the same without a gain",
        "Koinly help 4286070 under crypto_fee consume, by hand",
        [
            buy("b", "2020-01-01", "EOS", "100", "100"),
            row("fee", "f", "2020-01-05", asset="EOS", amount="10", value="20"),
        ],
        {"disposals": "", "fees_total": "20", "remaining_cost.EOS": "90", "holdings.default.EOS": "90"},
        {"crypto_fee": "consume"},
    ),
    Example(
        "the fee of a sale lowers its proceeds",
        f"{COINTRACKER}, example 2",
        [buy("b", "2022-01-01", "ETH", "1", "400"), sell("s", "2022-02-01", "ETH", "1", "1000", fee="30")],
        {"s.proceeds": "970", "s.gain": "570"},
    ),
    Example(
        "a buy paid for in part with the coin itself",
        f"{COINTRACKER}, example 3",
        [
            buy("old", "2022-01-01", "ETH", "0.2", "10"),
            buy("b", "2022-02-01", "ETH", "1", "1000", fee="0.2", fee_asset="ETH", fee_value="60"),
        ],
        {
            "b:fee.gain": "50",
            "b:fee.cost_basis": "10",
            "b:fee.kind": "fee",
            "remaining_lots": "b:1:1060",
            "fees_total": "0",
        },
    ),
    Example(
        "a fee in the coin sold as part of the sale",
        f"{COINTRACKER}, fee in the currency going out",
        USDC,
        {
            "disposals": "s:sell:-1",
            "s.amount": "101",
            "s.proceeds": "100",
            "fees_total": "0",
            "remaining_cost.USDC": "99",
        },
        {"same_coin_fee": "in_disposal"},
    ),
    Example(
        "the same as two disposals",
        f"{COINTRACKER} turned to same_coin_fee dispose, by hand",
        USDC,
        {"disposals": "s:sell:-1 s:fee:fee:0", "s.amount": "100", "s.proceeds": "99", "remaining_cost.USDC": "99"},
    ),
    Example(
        "a third coin, in basis, as a disposal",
        THIRD,
        WITH_BNB,
        {
            "b:fee.gain": "10",
            "s:fee.gain": "8",
            "s.cost_basis": "10030",
            "s.proceeds": "11982",
            "s.gain": "1952",
            "realised_total": "1970",
            "fees_total": "0",
            "remaining_cost.BNB": "70",
        },
    ),
    Example(
        "a third coin, in basis, without a gain",
        THIRD,
        WITH_BNB,
        {"disposals": "s:sell:1952", "fees_total": "0", "remaining_cost.BNB": "70", "holdings.default.BNB": "7"},
        {"crypto_fee": "consume"},
    ),
    Example(
        "a third coin, beside cost and proceeds",
        THIRD,
        WITH_BNB,
        {"s.gain": "2000", "realised_total": "2018", "fees_total": "48"},
        {"fees": "separate"},
    ),
    Example(
        "the fee of a swap on what comes in",
        "fee_on in, by hand",
        SWAP,
        {"t.proceeds": "6000", "t.gain": "1000", "remaining_cost.ETH": "6060", "average_cost.ETH": "202"},
    ),
    Example(
        "the fee of a swap on what goes out",
        "fee_on out, by hand",
        [SWAP[0], {**SWAP[1], "fee_on": "out"}],
        {"t.proceeds": "5940", "t.gain": "940", "remaining_cost.ETH": "6000"},
    ),
    Example(
        "a fee out of the coin received leaves after it arrived",
        "Fee in the coin bought, by hand",
        [buy("b", "2020-01-01", "X", "10", "100", fee="1", fee_asset="X", fee_value="11")],
        {
            "b:fee.lots": "b:1:11.1",
            "b:fee.proceeds": "11",
            "b:fee.gain": "-0.1",
            "remaining_cost.X": "99.9",
            "holdings.default.X": "9",
        },
    ),
    Example(
        "hifo with and without the fee: with",
        "hifo_excl_fee false, by hand",
        [
            buy("b1", "2020-01-01", "X", "1", "100", fee="20"),
            buy("b2", "2020-01-02", "X", "1", "110"),
            sell("s", "2020-01-03", "X", "1", "150"),
        ],
        {"s.lots": "b1:1:120"},
        {"method": "hifo"},
    ),
    Example(
        "hifo with and without the fee: without",
        "hifo_excl_fee true, by hand",
        [
            buy("b1", "2020-01-01", "X", "1", "100", fee="20"),
            buy("b2", "2020-01-02", "X", "1", "110"),
            sell("s", "2020-01-03", "X", "1", "150"),
        ],
        {"s.lots": "b2:1:110"},
        {"method": "hifo", "hifo_excl_fee": True},
    ),
]
