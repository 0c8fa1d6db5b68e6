"""Sentences of the portable format, each with the figures that follow from it by hand."""

from apps.portfolios.tests.examples.shape import Example, buy, move, row, sell

TINY = "0.000000000000000000000000000001"
HUGE = "1234567890123456789012345678901234567890"
FORMAT = "Portable ledger format"

CONTRACT = [
    Example(
        "eighteen digits go in and come out",
        f"{FORMAT}: exact",
        [
            buy("b", "2020-01-01", "X", "1.000000000000000001", "1.000000000000000001"),
            sell("s", "2020-01-02", "X", "0.000000000000000001", "0.000000000000000002"),
        ],
        {
            "s.gain": "0.000000000000000001",
            "remaining_lots": "b:1:1",
            "holdings.default.X": "1",
        },
    ),
    Example(
        "the smallest and the largest amount",
        f"{FORMAT}: 40 integer and 30 fraction digits",
        [
            buy("b1", "2020-01-01", "X", TINY, TINY),
            buy("b2", "2020-01-02", "Y", HUGE, HUGE),
            sell("s", "2020-01-03", "X", TINY, "1"),
        ],
        {
            "s.gain": "0.999999999999999999999999999999",
            "remaining_cost.Y": HUGE,
            "holdings.default.Y": HUGE,
        },
    ),
    Example(
        "one digit more is refused, the rest is booked",
        f"{FORMAT}: refused, never rounded",
        [
            buy("b1", "2020-01-01", "X", f"{TINY}1", "1"),
            buy("b2", "2020-01-02", "X", f"{HUGE}0", "1"),
            buy("b3", "2020-01-03", "X", "1", "1"),
        ],
        {"remaining_lots": "b3:1:1", "errors": "b1:amount_too_long b2:amount_too_long"},
    ),
    Example(
        "the last piece takes the residue",
        f"{FORMAT}: rounded half-even once, cost conserved",
        [
            buy("b", "2020-01-01", "X", "3", "1"),
            sell("s1", "2020-01-02", "X", "1", "1"),
            sell("s2", "2020-01-03", "X", "1", "1"),
            sell("s3", "2020-01-04", "X", "1", "1"),
        ],
        {
            "s1.cost_basis": "0.333333333333333333333333333333",
            "s2.cost_basis": "0.333333333333333333333333333334",
            "s3.cost_basis": "0.333333333333333333333333333333",
            "realised_total": "2",
        },
    ),
    Example(
        "half-even, not half-up",
        f"{FORMAT}: rounded half-even",
        [
            row("buy", "b", "2020-01-01", asset="X", amount="0.5", price="0.000000000000000000000000000005"),
            row("buy", "c", "2020-01-01", asset="Y", amount="0.5", price="0.000000000000000000000000000007"),
        ],
        {
            "remaining_cost.X": "0.000000000000000000000000000002",
            "remaining_cost.Y": "0.000000000000000000000000000004",
        },
    ),
    Example(
        "a tie in hifo: the earlier given first, sale after sale",
        f"{FORMAT}: ties",
        [
            buy("b1", "2020-01-01", "X", "3", "2"),
            buy("b2", "2020-01-02", "X", "3", "2"),
            sell("s1", "2020-01-03", "X", "1", "1"),
            sell("s2", "2020-01-04", "X", "1", "1"),
            sell("s3", "2020-01-05", "X", "1", "1"),
        ],
        {
            "s1.lots": "b1:1:0.67",
            "s2.lots": "b1:1:0.67",
            "s3.lots": "b1:1:0.67",
            "remaining_lots": "b2:3:2",
        },
        {"method": "hifo"},
    ),
    Example(
        "a tie in lifo: the later given first",
        f"{FORMAT}: ties",
        [
            buy("b1", "2020-01-01T00:00:00Z", "X", "1", "1"),
            buy("b2", "2020-01-01T00:00:00Z", "X", "1", "2"),
            sell("s", "2020-01-01T00:00:00Z", "X", "1", "1"),
        ],
        {"s.lots": "b2:1:2"},
        {"method": "lifo"},
    ),
    Example(
        "a disposal sees only what came before it, also at the same moment",
        f"{FORMAT}: order is ts, then the order given",
        [
            sell("s", "2020-01-01T00:00:00Z", "X", "1", "10"),
            buy("b", "2020-01-01T00:00:00Z", "X", "1", "8"),
        ],
        {"s.gain": "10", "missing": "s:0:1", "remaining_lots": "b:1:8"},
    ),
    Example(
        "milliseconds and ISO times mix",
        f"{FORMAT}: ts",
        [
            {**sell("s", "2020-01-01", "X", "1", "10"), "ts": 1_577_880_000_001},
            buy("b", "2020-01-01T12:00:00Z", "X", "1", "8"),
        ],
        {"s.gain": "2", "missing": ""},
    ),
    Example(
        "universal: one account may be negative",
        f"{FORMAT}: universal",
        [
            buy("b", "2020-01-01", "X", "2", "20", account="a"),
            sell("s", "2020-01-02", "X", "1", "15", account="b"),
        ],
        {"s.gain": "5", "missing": "", "holdings.a.X": "2", "holdings.b.X": "-1", "remaining_cost.X": "10"},
    ),
    Example(
        "per account: the same is a shortfall",
        f"{FORMAT}: per_account",
        [
            buy("b", "2020-01-01", "X", "2", "20", account="a"),
            sell("s", "2020-01-02", "X", "1", "15", account="b"),
        ],
        {"s.gain": "15", "missing": "s:0:1", "holdings.b.X": "-1", "remaining_cost.a:X": "20"},
        {"scope": "per_account"},
    ),
    Example(
        "a redenomination reaches every open lot in every account",
        f"{FORMAT}: split",
        [
            buy("b1", "2020-01-01", "X", "1", "10", account="a"),
            buy("b2", "2020-01-02", "X", "2", "30", account="b"),
            row("split", "x", "2020-01-03", asset="X", ratio="0.001"),
            sell("s", "2020-01-04", "X", "0.001", "20", account="b"),
        ],
        {"s.lots": "b2:0.001:15", "holdings.a.X": "0.001", "holdings.b.X": "0.001", "remaining_cost.a:X": "10"},
        {"scope": "per_account"},
    ),
    Example(
        "capital returned lowers cost, at most to zero",
        f"{FORMAT}: return_of_capital",
        [
            buy("b", "2020-01-01", "X", "10", "100"),
            row("return_of_capital", "r1", "2020-02-01", asset="X", value="60"),
            row("return_of_capital", "r2", "2020-03-01", asset="X", value="60"),
            sell("s", "2020-04-01", "X", "10", "50"),
        ],
        {"r1.gain": "nothing", "r2.gain": "20", "s.cost_basis": "0", "realised_total": "70", "missing": ""},
    ),
    Example(
        "an opening balance is an error where there are lots",
        f"{FORMAT}: pool_opening",
        [
            row("pool_opening", "o", "2020-01-01", asset="X", amount="1", value="1"),
            buy("b", "2020-01-02", "X", "1", "8"),
        ],
        {"remaining_lots": "b:1:8", "holdings.default.X": "1"},
    ),
    Example(
        "a move between own accounts is no disposal",
        f"{FORMAT}: transfer",
        [
            buy("b", "2020-01-01", "X", "2", "20", account="a"),
            move("m", "2020-01-02", "X", "2", "a", "b"),
        ],
        {
            "disposals": "",
            "holdings.b.X": "2",
            "remaining_cost.b:X": "20",
            "fees_total": "0",
            "remaining_lots": "b:2:20",
        },
        {"scope": "per_account"},
    ),
    Example(
        "universal lots know no account, and a transfer leaves them alone",
        f"{FORMAT}: universal",
        [
            buy("b", "2020-01-01", "X", "2", "20", account="a"),
            move("m", "2020-01-02", "X", "1", "a", "b"),
        ],
        {"remaining_lots": "b:2:20", "holdings.a.X": "1", "holdings.b.X": "1", "missing": ""},
    ),
    Example(
        "a split does not grow what never was there",
        f"{FORMAT}: holdings are lots minus what is missing",
        [
            buy("b1", "2020-01-01", "X", "1", "10"),
            sell("s", "2020-01-02", "X", "2", "30"),
            buy("b2", "2020-01-03", "X", "1", "12"),
            row("split", "x", "2020-01-04", asset="X", ratio="10"),
        ],
        {"missing": "s:1:1", "remaining_lots": "b2:10:12", "holdings.default.X": "9"},
    ),
    Example(
        "universal: a transfer that finds too little delivers the rest at no cost",
        f"{FORMAT}: shortfall of a transfer",
        [
            buy("b", "2020-01-01", "X", "1", "10", account="a"),
            move("m", "2020-01-02", "X", "3", "a", "b"),
            buy("later", "2020-01-03", "X", "5", "500", account="b"),
            sell("s", "2020-01-04", "X", "3", "60", account="b"),
        ],
        {"s.lots": "b:1:10 m:2:0", "s.gain": "50", "missing": "m:1:2", "remaining_cost.X": "500"},
    ),
    Example(
        "capital returned beyond the cost of a long and a short lot",
        f"{FORMAT}: return_of_capital, spread by amount",
        [
            buy("b1", "2020-01-01", "X", "1", "10"),
            buy("b2", "2021-06-01", "X", "3", "60"),
            row("return_of_capital", "r", "2021-07-01", asset="X", value="100"),
        ],
        {
            "r.term": "mixed",
            "r.gain": "30",
            "realised_long": "15",
            "realised_short": "15",
            "remaining_lots": "b1:1:0 b2:3:0",
        },
    ),
    Example(
        "capital returned changes the rank of hifo by what it lowered",
        f"{FORMAT}: hifo, the highest unit cost",
        [
            buy("b1", "2020-01-01", "X", "1", "100", account="a"),
            buy("b2", "2020-01-02", "X", "1", "90", account="a"),
            row("return_of_capital", "r", "2020-01-03", asset="X", value="40", account="a"),
            buy("b3", "2020-01-04", "X", "1", "75", account="a"),
            sell("s", "2020-01-05", "X", "2", "160", account="a"),
        ],
        {"s.lots": "b1:1:80 b3:1:75", "remaining_lots": "b2:1:70"},
        {"method": "hifo"},
    ),
    Example(
        "a move inside an alias touches no lot, and its fee stands beside",
        f"{FORMAT}: alias, fees_total",
        [
            buy("b", "2020-01-01", "ETH", "2", "20"),
            row(
                "trade",
                "w",
                "2020-01-02",
                out_asset="ETH",
                out_amount="1",
                in_asset="WETH",
                in_amount="1",
                value="15",
                fee="0.1",
                fee_asset="ETH",
                fee_value="1.5",
            ),
        ],
        {
            "disposals": "w:fee:fee:0.5",
            "fees_total": "1.5",
            "remaining_lots": "b:1.9:19",
            "holdings.default.ETH": "0.9",
            "holdings.default.WETH": "1",
        },
        {"alias": {"WETH": "ETH"}},
    ),
]
