"""Cases that public tools test or document: rotki, beancount, hledger, Koinly, coinbasis, FinCal."""

from apps.portfolios.tests.examples.shape import Example, buy, move, row, sell

ROTKI = "rotki, tests/unit/test_cost_basis.py"
FIVE = buy("b1", "2015-11-08", "BTC", "5", "1340.5")
FIFTEEN = buy("b2", "2016-07-01", "BTC", "15", "9186.75")
ONE_AND_ONE = [buy("b1", "2015-11-08", "BTC", "1", "268.1"), buy("b2", "2016-07-01", "BTC", "1", "612.45")]
TWO_LOTS = [
    buy("A", "2020-01-01", "BTC", "1", "100"),
    buy("B", "2021-01-01", "BTC", "1", "300"),
    sell("s", "2022-01-01", "BTC", "1", "500"),
]
COINBASIS = "coinbasis, examples/cost_basis_methods"
STOCK = [
    buy("b1", "2020-01-01", "U", "2", "4"),
    buy("b2", "2020-01-02", "U", "3", "9"),
    buy("b3", "2020-01-03", "U", "5", "25"),
    sell("s", "2020-01-04", "U", "7", "70"),
]
FINCAL = "FinCal, cogs(2, 2, c(3, 5), c(3, 5), 7)"
TWO_ETH = [
    buy("old", "2020-01-01", "ETH", "1", "1908"),
    buy("new", "2021-11-01", "ETH", "1", "3000"),
    sell("s", "2021-11-02", "ETH", "1", "2900"),
]
KOINLY = "Koinly help 3663444, The cost-basis shown is wrong"

TOOLS = [
    Example(
        "long and short lots in one sale",
        f"{ROTKI}, spend after a year",
        [
            FIVE,
            FIFTEEN,
            buy("b3", "2016-10-25", "BTC", "3", "1810.245"),
            sell("s", "2016-12-02", "BTC", "8", "8000"),
        ],
        {
            "s.lots": "b1:5:1340.5 b2:3:1837.35",
            "s.term": "mixed",
            "realised_long": "3659.5",
            "realised_short": "1162.65",
            "remaining_lots": "b2:12:7349.4 b3:3:1810.245",
        },
    ),
    Example(
        "one buy, two sales, nothing left",
        f"{ROTKI}, 1 buy used by 2 sells",
        [
            FIVE,
            sell("s1", "2016-07-01T10:00:00Z", "BTC", "3", "1800"),
            sell("s2", "2016-07-01T11:00:00Z", "BTC", "2", "1200"),
        ],
        {"s1.cost_basis": "804.3", "s2.cost_basis": "536.2", "realised_short": "1659.5", "remaining_lots": ""},
    ),
    Example(
        "sold more than bought, within a year",
        f"{ROTKI}, sell more than bought within year",
        [*ONE_AND_ONE, sell("s", "2016-07-02", "BTC", "3", "1800")],
        {
            "s.cost_basis": "880.55",
            "s.gain": "919.45",
            "s.amount": "3",
            "missing": "s:2:1",
            "s.term": "short",
            "holdings.default.BTC": "-1",
        },
    ),
    Example(
        "sold more than bought, after a year: what was not found is short",
        f"{ROTKI}, sell more than bought after year",
        [*ONE_AND_ONE, sell("s", "2018-04-10", "BTC", "3", "1800")],
        {"s.term": "mixed", "realised_long": "319.45", "realised_short": "600", "missing": "s:2:1"},
    ),
    Example(
        "the shortfall as an error, booked all the same",
        f"{ROTKI}, sell more than bought within year",
        [*ONE_AND_ONE, sell("s", "2016-07-02", "BTC", "3", "1800")],
        {"errors": "s:missing_acquisition", "missing": "s:2:1", "s.gain": "919.45"},
        {"missing": "error"},
    ),
    Example(
        "later buys never repay a shortfall",
        f"{ROTKI}, missing acquisitions",
        [
            sell("s1", "2020-01-01", "ETH", "1", "10"),
            buy("b1", "2020-01-02", "ETH", "2", "2"),
            sell("s2", "2020-01-03", "ETH", "3", "30"),
            buy("b2", "2020-01-04", "ETH", "2", "2"),
            sell("s3", "2020-01-05", "ETH", "3", "30"),
        ],
        {
            "missing": "s1:0:1 s2:2:1 s3:2:1",
            "s1.gain": "10",
            "s2.gain": "28",
            "s3.gain": "28",
            "holdings.default.ETH": "-3",
        },
    ),
    Example(
        "lifo over four days",
        f"{ROTKI}, lifo order",
        [
            buy("e3", "2020-01-01", "ETH", "2", "2"),
            buy("e4", "2020-01-02", "ETH", "5", "5"),
            sell("s1", "2020-01-03", "ETH", "3", "3"),
            buy("e5", "2020-01-04", "ETH", "1", "1"),
            sell("s2", "2020-01-05", "ETH", "4", "4"),
        ],
        {"s1.lots": "e4:3:3", "s2.lots": "e5:1:1 e4:2:2 e3:1:1", "remaining_lots": "e3:1:1"},
        {"method": "lifo"},
    ),
    Example(
        "hifo over four days",
        f"{ROTKI}, hifo order",
        [
            buy("e3", "2020-01-01", "BTC", "2", "6"),
            buy("e4", "2020-01-02", "BTC", "5", "5"),
            sell("s1", "2020-01-03", "BTC", "1", "3"),
            buy("e5", "2020-01-04", "BTC", "1", "2"),
            sell("s2", "2020-01-05", "BTC", "6", "12"),
        ],
        {"s1.lots": "e3:1:3", "s2.lots": "e3:1:3 e5:1:2 e4:4:4", "remaining_lots": "e4:1:1"},
        {"method": "hifo"},
    ),
    Example(
        "wrapped and plain share a basis",
        f"{ROTKI}, reduce asset amount, ETH and WETH",
        [
            buy("b1", "2020-01-01", "ETH", "1", "268.1"),
            buy("b2", "2020-01-02", "WETH", "1", "612.45"),
            row(
                "trade", "t", "2020-01-03", out_asset="ETH", out_amount="1", in_asset="WETH", in_amount="1", value="700"
            ),
            sell("s", "2020-01-04", "WETH", "1.5", "1500"),
        ],
        {
            "t.gain": "nothing",
            "s.lots": "b1:1:268.1 b2:0.5:306.225",
            "remaining_cost.ETH": "306.225",
            "realised_total": "925.675",
            "missing": "",
        },
        {"alias": {"WETH": "ETH"}},
    ),
    Example(
        "two lots, fifo",
        COINBASIS,
        TWO_LOTS,
        {"s.gain": "400", "s.lots": "A:1:100", "realised_long": "400"},
    ),
    Example("two lots, lifo", COINBASIS, TWO_LOTS, {"s.gain": "200", "s.lots": "B:1:300"}, {"method": "lifo"}),
    Example("two lots, hifo", COINBASIS, TWO_LOTS, {"s.gain": "200", "s.lots": "B:1:300"}, {"method": "hifo"}),
    Example("two lots, average", COINBASIS, TWO_LOTS, {"s.gain": "300", "s.lots": ""}, {"method": "acb"}),
    Example("cost of goods, fifo", FINCAL, STOCK, {"s.cost_basis": "23", "remaining_cost.U": "15"}),
    Example("cost of goods, lifo", FINCAL, STOCK, {"s.cost_basis": "31", "remaining_cost.U": "7"}, {"method": "lifo"}),
    Example("average cost", FINCAL, STOCK, {"s.cost_basis": "26.6", "remaining_cost.U": "11.4"}, {"method": "acb"}),
    Example(
        "fifo reaches back to an older coin",
        KOINLY,
        TWO_ETH,
        {"s.gain": "992", "s.lots": "old:1:1908", "remaining_cost.ETH": "3000"},
    ),
    Example(
        "average of both coins", KOINLY, TWO_ETH, {"s.gain": "446", "remaining_cost.ETH": "2454"}, {"method": "acb"}
    ),
    Example(
        "lots are taken by date, not by their place in the file",
        "beancount, booking_full_test: lots listed out of order",
        [
            buy("b2", "2020-02-01", "HOOL", "10", "1000"),
            sell("s", "2020-04-01", "HOOL", "15", "3000"),
            buy("b1", "2020-01-01", "HOOL", "10", "900"),
            buy("b3", "2020-03-01", "HOOL", "10", "1100"),
        ],
        {"s.lots": "b1:10:900 b2:5:500", "s.gain": "1600", "remaining_lots": "b2:5:500 b3:10:1100"},
    ),
    Example(
        "a transfer's fee takes its lots before the transfer does",
        "hledger lots tests, transfer with a fee",
        [
            buy("b1", "2020-01-01", "X", "1", "100", account="a"),
            buy("b2", "2020-01-02", "X", "1", "200", account="a"),
            move("m", "2020-01-03", "X", "1.5", "a", "b", received="1.4", fee_value="30"),
            sell("s", "2020-01-04", "X", "1.4", "420", account="b"),
        ],
        {
            "m.kind": "transfer_fee",
            "m.lots": "b1:0.1:10",
            "m.gain": "20",
            "s.lots": "b1:0.9:90 b2:0.5:100",
            "remaining_lots": "b2:0.5:100",
            "remaining_cost.a:X": "100",
        },
        {"scope": "per_account"},
    ),
    Example(
        "many accounts into one and out again keep their lots",
        "Many-to-many transfers, by hand",
        [
            buy("b1", "2020-01-01", "X", "2", "20", account="a"),
            buy("b2", "2020-01-02", "X", "2", "40", account="b"),
            move("m1", "2020-01-03", "X", "2", "b", "hub"),
            move("m2", "2020-01-04", "X", "2", "a", "hub"),
            move("m3", "2020-01-05", "X", "3", "hub", "c"),
            sell("s", "2020-01-06", "X", "3", "90", account="c"),
        ],
        {"s.lots": "b1:2:20 b2:1:20", "s.gain": "50", "remaining_lots": "b2:1:20", "holdings.hub.X": "1"},
        {"scope": "per_account"},
    ),
    Example(
        "a deposit from nowhere is a lot of the transfer at no cost",
        "Koinly and CoinTracking, missing purchase history, by hand",
        [
            buy("b", "2020-01-01", "X", "1", "10", account="a"),
            move("m", "2020-01-02", "X", "3", "a", "b"),
            sell("s", "2020-01-03", "X", "3", "60", account="b"),
        ],
        {"s.lots": "b:1:10 m:2:0", "s.gain": "50", "missing": "m:1:2", "holdings.a.X": "-2"},
        {"scope": "per_account"},
    ),
]
