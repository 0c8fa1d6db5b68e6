"""American examples: lots, terms, accounts; the figures stated by guidance or worked by hand from its rule."""

from apps.portfolios.tests.examples.shape import Example, buy, move, row, sell

PER_ACCOUNT = {"scope": "per_account"}
DAVID = [
    buy("b1", "2019-03-15", "BTC", "0.5", "2100"),
    buy("b2", "2019-04-20", "BTC", "0.5", "2650"),
    buy("b3", "2019-06-10", "BTC", "0.5", "4500"),
    sell("s", "2019-07-01", "BTC", "1", "9500"),
]
COINPANDA = "Coinpanda help 3839281, the method asked for in IRS FAQ A39 to A41"
TWO_WALLETS = [
    buy("old", "2023-01-01", "BTC", "1", "10000", account="cold"),
    buy("new", "2024-01-01", "BTC", "1", "40000", account="exchange"),
    sell("s", "2025-02-01", "BTC", "1", "50000", account="exchange"),
]
REV_PROC = "Rev. Proc. 2024-28 and Reg. 1.1012-1(j), by hand"

AMERICAN = [
    Example(
        "fifo, the default without identification",
        COINPANDA,
        DAVID,
        {"s.cost_basis": "4750", "s.gain": "4750", "s.lots": "b1:0.5:2100 b2:0.5:2650", "s.term": "short"},
    ),
    Example(
        "lifo",
        COINPANDA,
        DAVID,
        {"s.cost_basis": "7150", "s.gain": "2350", "s.lots": "b3:0.5:4500 b2:0.5:2650"},
        {"method": "lifo"},
    ),
    Example(
        "hifo",
        COINPANDA,
        DAVID,
        {"s.gain": "2350", "s.lots": "b3:0.5:4500 b2:0.5:2650", "remaining_cost.BTC": "2100"},
        {"method": "hifo"},
    ),
    Example(
        "universal: the oldest lot, wherever it lies",
        REV_PROC,
        TWO_WALLETS,
        {"s.gain": "40000", "s.term": "long", "s.lots": "old:1:10000", "remaining_cost.BTC": "40000"},
    ),
    Example(
        "per account: only what lies in the account",
        REV_PROC,
        TWO_WALLETS,
        {
            "s.gain": "10000",
            "s.lots": "new:1:40000",
            "remaining_cost.cold:BTC": "10000",
            "holdings.cold.BTC": "1",
            "realised_long": "10000",
        },
        PER_ACCOUNT,
    ),
    Example(
        "the day of arrival in a wallet is disregarded",
        "Reg. 1.1012-1(j)(3): earliest acquired first, whenever transferred in",
        [
            buy("new", "2024-06-01", "BTC", "1", "60000", account="wallet"),
            buy("old", "2023-01-01", "BTC", "1", "20000", account="exchange"),
            move("m", "2024-12-01", "BTC", "1", "exchange", "wallet"),
            sell("s", "2025-01-05", "BTC", "1", "90000", account="wallet"),
        ],
        {"s.lots": "old:1:20000", "s.gain": "70000", "s.term": "long", "remaining_lots": "new:1:60000"},
        PER_ACCOUNT,
    ),
    Example(
        "lifo takes the newest acquired, not the last arrived",
        "Reg. 1.1012-1(j)(3) turned round",
        [
            buy("new", "2024-06-01", "BTC", "1", "60000", account="wallet"),
            buy("old", "2023-01-01", "BTC", "1", "20000", account="exchange"),
            move("m", "2024-12-01", "BTC", "1", "exchange", "wallet"),
            sell("s", "2025-01-05", "BTC", "1", "90000", account="wallet"),
        ],
        {"s.lots": "new:1:60000", "s.gain": "30000", "s.term": "short"},
        {"method": "lifo", **PER_ACCOUNT},
    ),
    Example(
        "one second short of a year is short",
        "365 whole days, as rp2 counts them",
        [
            buy("b", "2021-01-01T12:00:00Z", "BTC", "1", "10"),
            sell("s", "2022-01-01T11:59:59Z", "BTC", "1", "30"),
        ],
        {"s.term": "short", "realised_short": "20", "realised_long": "0"},
    ),
    Example(
        "365 whole days are long",
        "365 whole days, as rp2 counts them",
        [
            buy("b", "2021-01-01T12:00:00Z", "BTC", "1", "10"),
            sell("s", "2022-01-01T12:00:00Z", "BTC", "1", "30"),
        ],
        {"s.term": "long", "realised_short": "0", "realised_long": "20"},
    ),
    Example(
        "more than one year, where the text is taken strictly",
        "IRS FAQ A37 by hand: long_days 366",
        [
            buy("b", "2021-01-01T12:00:00Z", "BTC", "1", "10"),
            sell("s", "2022-01-01T12:00:00Z", "BTC", "1", "30"),
        ],
        {"s.term": "short"},
        {"long_days": 366},
    ),
    Example(
        "mined coins are income at receipt, and a lot at that value",
        "IRS Notice 2014-21 A8, by hand",
        [
            row("income", "i", "2020-05-01", asset="BTC", amount="0.5", value="4500", kind="mining"),
            sell("s", "2020-08-01", "BTC", "0.5", "6000"),
        ],
        {"income_total": "4500", "s.cost_basis": "4500", "s.gain": "1500", "realised_total": "1500"},
    ),
    Example(
        "paying with coins is a disposal",
        "IRS FAQ A14 and A15, by hand",
        [
            buy("b", "2020-05-01", "ETH", "10", "2000"),
            row("spend", "p", "2020-09-01", asset="ETH", amount="1", value="350"),
        ],
        {"p.kind": "spend", "p.gain": "150", "remaining_cost.ETH": "1800", "average_cost.ETH": "200"},
    ),
    Example(
        "costs of buying into basis, of selling out of the amount realized",
        "Reg. 1.1001-7(b) and 1.1012-1(h), by hand",
        [
            buy("b", "2025-01-10", "ETH", "10", "20000", fee="40"),
            sell("s", "2025-03-10", "ETH", "5", "12000", fee="25"),
        ],
        {"s.proceeds": "11975", "s.cost_basis": "10020", "s.gain": "1955", "fees_total": "0"},
    ),
    Example(
        "coin for coin: the cost of what comes in is what went out",
        "ATO, Crypto to crypto exchange or swap, Katrina and coin B",
        [
            buy("b", "2021-07-05", "A", "100", "15000"),
            row(
                "trade", "t", "2021-11-15", out_asset="A", out_amount="20", in_asset="B", in_amount="100", value="6000"
            ),
        ],
        {"t.proceeds": "6000", "t.cost_basis": "3000", "t.gain": "3000", "remaining_lots": "b:80:12000 t:100:6000"},
    ),
    Example(
        "coin for coin at the value of what goes out",
        "ATO, Crypto to crypto exchange or swap, Katrina and coin D",
        [
            buy("b", "2021-07-05", "A", "100", "15000"),
            row(
                "trade", "t", "2021-11-15", out_asset="A", out_amount="20", in_asset="D", in_amount="100", value="5000"
            ),
        ],
        {"t.gain": "2000", "remaining_cost.D": "5000"},
    ),
]
