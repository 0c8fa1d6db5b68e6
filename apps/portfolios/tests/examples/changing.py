"""Rules that change at a date: the American safe harbor of 2025, and what becomes of lots and pools at a change."""

from apps.portfolios.tests.examples.shape import Example, Row, buy, move, opening, row, sell

SAFE_HARBOR = "2025-01-01T00:00:00Z"
COINLEDGER = "CoinLedger help 10309974, then Rev. Proc. 2024-28, global allocation, the oldest first, by hand"
REALLOCATION = "CoinLedger help 11962455, what are basis reallocation transactions"
AVERAGED = "Reg. 1.1012-1(e), change from the average basis method: the basis stays the average"
BY_HAND = "By hand from docs/guide/booking.md"


def to(policy: Row, at: str = SAFE_HARBOR) -> list[Row]:
    """Return one change of the rules."""
    return [{"from": at, "policy": policy}]


THREE_EXCHANGES = [
    buy("A1", "2024-07-01", "BTC", "1", "10000", account="A"),
    buy("B1", "2024-08-01", "BTC", "1", "20000", account="B"),
    buy("C1", "2024-09-01", "BTC", "1", "30000", account="C"),
    sell("s1", "2024-10-01", "BTC", "1", "40000", account="C"),
]
TWO_BUYS = [buy("b1", "2020-01-01", "X", "1", "10"), buy("b2", "2020-06-01", "X", "1", "30")]

CHANGING = [
    Example(
        "universal to per account: what is left goes to the accounts that hold coins",
        COINLEDGER,
        [*THREE_EXCHANGES, sell("s2", "2025-02-01", "BTC", "1", "50000", account="B")],
        {
            "s1.gain": "30000",
            "s1.lots": "A1:1:10000",
            "s2.lots": "C1:1:30000",
            "s2.gain": "20000",
            "remaining_cost": "{'A:BTC': '20000'}",
            "remaining_lots": "B1:1:20000",
        },
        {"scope": "universal"},
        to({"scope": "per_account"}),
    ),
    Example(
        "a lot is cut where an account holds less of it",
        REALLOCATION,
        [
            buy("b", "2024-03-01", "ETH", "3", "9000", account="coinbase"),
            move("m", "2024-04-01", "ETH", "1", "coinbase", "wallet"),
        ],
        {"remaining_cost": "{'coinbase:ETH': '6000', 'wallet:ETH': '3000'}", "remaining_lots": "b:2:6000 b:1:3000"},
        {},
        to({"scope": "per_account"}),
    ),
    Example(
        "the change holds from its own moment on",
        BY_HAND,
        [*TWO_BUYS, sell("s", SAFE_HARBOR, "X", "1", "40")],
        {"s.lots": "b2:1:30"},
        {},
        to({"method": "lifo"}),
    ),
    Example(
        "per account to universal: lots merge and keep their dates",
        BY_HAND,
        [
            buy("b1", "2020-01-01", "X", "1", "10", account="a"),
            buy("b2", "2020-06-01", "X", "1", "30", account="b"),
            sell("s", "2025-06-01", "X", "1", "50", account="b"),
        ],
        {"s.lots": "b1:1:10", "remaining_cost": "{'X': '30'}"},
        {"scope": "per_account"},
        to({}),
    ),
    Example(
        "lots to a pool: one average of what is left",
        BY_HAND,
        [*TWO_BUYS, sell("s1", "2021-01-01", "X", "0.5", "10"), sell("s2", "2025-06-01", "X", "1", "50")],
        {"s1.cost_basis": "5", "s2.cost_basis": "23.333333", "pools.X.amount": "0.5", "s2.term": "None"},
        {},
        to({"method": "acb"}),
    ),
    Example(
        "a pool to lots: one lot of the average, as old as the change",
        AVERAGED,
        [*TWO_BUYS, buy("b3", "2025-02-01", "X", "1", "60"), sell("s", "2025-06-01", "X", "2.5", "100")],
        {"s.lots": "pool:X@2025-01-01T00:00:00Z:2:40 b3:0.5:30", "s.term": "short", "remaining_lots": "b3:0.5:30"},
        {"method": "acb"},
        to({}),
    ),
    Example(
        "no thirty days reach over a change: the pool of before serves the sale before it",
        BY_HAND,
        [
            *TWO_BUYS,
            sell("s1", "2024-12-20", "X", "1", "25"),
            buy("b3", "2025-01-05", "X", "1", "24"),
            sell("s2", "2025-02-01", "X", "1", "50"),
        ],
        {"s1.matches": "s104:1:20", "s2.lots": "pool:X@2025-01-01T00:00:00Z:1:20", "remaining_lots": "b3:1:24"},
        {"method": "uk_s104"},
        to({}),
    ),
    Example(
        "nor backwards: what was bought before is in the pool by then",
        BY_HAND,
        [
            *TWO_BUYS,
            sell("s1", "2025-01-01T09:00:00Z", "X", "1", "25"),
            buy("b3", "2025-01-20", "X", "1", "24"),
            sell("s2", "2025-03-01", "X", "2", "90"),
        ],
        {"s1.matches": "thirty_day:1:24", "s2.matches": "s104:2:40", "disposals": "s1:sell:1 s2:sell:50"},
        {},
        to({"method": "uk_s104"}),
    ),
    Example(
        "no superficial loss for what is bought back under the next rules",
        BY_HAND,
        [*TWO_BUYS, sell("s1", "2024-12-20", "X", "1", "5"), buy("b3", "2025-01-05", "X", "1", "6")],
        {"s1.gain": "-15", "remaining_cost.X": "26"},
        {"method": "acb", "superficial_window_days": 30},
        to({"method": "acb", "superficial_window_days": 30, "fees": "separate"}),
    ),
    Example(
        "an opening balance of a pool is booked where a pool holds, and is an error where lots do",
        BY_HAND,
        [opening("o1", "2024-01-01", "X", "1", "10"), opening("o2", "2025-02-01", "X", "1", "10")],
        {"holdings.default.X": "1", "remaining_lots": "pool:X@2025-01-01T00:00:00Z:1:10"},
        {"method": "acb"},
        to({}),
    ),
    Example(
        "what was missing before a change stays missing, and a split after it grows only what is there",
        BY_HAND,
        [
            buy("b", "2020-01-01", "X", "1", "10", account="a"),
            sell("s", "2021-01-01", "X", "3", "30", account="a"),
            buy("c", "2022-01-01", "X", "2", "40", account="a"),
            row("split", "two", "2025-02-01", asset="X", ratio="2"),
        ],
        {"missing": "s:1:2", "holdings.a.X": "2", "pools.X.amount": "4", "remaining_cost.X": "40"},
        {},
        to({"method": "uk_s104"}),
    ),
    Example(
        "fees and terms follow the rules of their day",
        BY_HAND,
        [
            buy("b1", "2023-01-01", "X", "2", "20"),
            sell("s1", "2024-06-01", "X", "1", "30", fee="1"),
            sell("s2", "2025-06-01", "X", "1", "30", fee="1"),
        ],
        {"s1.gain": "19", "s1.term": "long", "s2.gain": "20", "s2.term": "short", "fees_total": "1"},
        {},
        to({"fees": "separate", "long_days": "1000"}),
    ),
]
