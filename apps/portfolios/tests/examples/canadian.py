"""Canadian examples: adjusted cost base and superficial losses."""

from apps.portfolios.tests.examples.shape import Example, buy, move, opening, row, sell

ACB = {"method": "acb"}
WINDOW = {"method": "acb", "superficial_window_days": 30}
DONNA = "Golombek, Partial Disposition of Property (CRA 2005-0150811E5)"
BULLETIN = "CRA IT-456R paragraph 12, prices added by hand"
SOLD_TWENTY = [
    buy("b1", "2020-01-01", "X", "50", "500"),
    sell("s", "2020-06-01", "X", "20", "100"),
]

CANADIAN = [
    Example(
        "average cost before and after sales",
        "adjustedcostbase.ca, How to calculate ACB, as rotki's test_accounting_average_cost_basis",
        [
            buy("b1", "2014-01-03", "X", "100", "5000"),
            sell("s1", "2014-02-01", "X", "50", "6000"),
            buy("b2", "2014-03-01", "X", "50", "6500"),
            sell("s2", "2014-04-01", "X", "40", "4800"),
        ],
        {
            "s1.cost_basis": "2500",
            "s1.gain": "3500",
            "s2.cost_basis": "3600",
            "s2.gain": "1200",
            "s2.lots": "",
            "s2.term": "None",
            "remaining_cost.X": "5400",
            "average_cost.X": "90",
        },
        ACB,
    ),
    Example(
        "selling more than the pool holds",
        "rotki test_accounting_average_cost_basis; the rest at no cost, never a negative pool",
        [
            buy("b1", "2020-01-03", "X", "1", "100"),
            buy("b2", "2020-01-04", "X", "1", "200"),
            sell("s1", "2020-01-05", "X", "0.5", "100"),
            buy("b3", "2020-01-06", "X", "0.5", "250"),
            sell("s2", "2020-01-07", "X", "3.5", "700"),
        ],
        {"s1.cost_basis": "75", "s2.cost_basis": "475", "s2.gain": "225", "missing": "s2:2:1.5", "remaining_lots": ""},
        ACB,
    ),
    Example(
        "commission on the sale",
        "CRA, How to calculate your capital gain, Mario",
        [buy("b", "2018-01-03", "XYZ", "400", "4000"), sell("s", "2020-03-03", "XYZ", "400", "6500", fee="60")],
        {"s.gain": "2440"},
        ACB,
    ),
    Example(
        "commission on both sides",
        "CSC 24.3.1, Hilde",
        [
            buy("b", "2018-01-03", "ABC", "100", "600", fee="17"),
            sell("s", "2020-01-03", "ABC", "100", "1000", fee="25"),
        ],
        {"s.cost_basis": "617", "s.proceeds": "975", "s.gain": "358"},
        ACB,
    ),
    Example(
        "the average of two buys",
        "CSC 24.3.1, Hugo",
        [
            buy("b1", "2019-01-03", "ABC", "200", "1200", fee="25"),
            buy("b2", "2020-06-03", "ABC", "100", "900", fee="20"),
        ],
        {"average_cost.ABC": "7.15", "remaining_cost.ABC": "2145"},
        ACB,
    ),
    Example(
        "part of an average",
        "canadianfinanceblog.com, How to calculate your ACB",
        [
            buy("b1", "2019-01-03", "C", "500", "7500", fee="20"),
            buy("b2", "2019-06-03", "C", "200", "2400", fee="20"),
            sell("s", "2020-01-03", "C", "100", "1500", fee="20"),
        ],
        {"s.proceeds": "1480", "s.cost_basis": "1420", "s.gain": "60", "remaining_cost.C": "8520"},
        ACB,
    ),
    Example(
        "a quarter of an average",
        "pellrides.com, Adjusted Cost Base explanation",
        [
            buy("b1", "2016-06-03", "RY", "10", "500", fee="7"),
            buy("b2", "2016-07-03", "RY", "10", "550", fee="7"),
            sell("s", "2017-01-03", "RY", "5", "325", fee="7"),
        ],
        {"average_cost.RY": "53.20", "s.cost_basis": "266", "s.gain": "52"},
        ACB,
    ),
    Example(
        "fifteen of twenty bought back: fifteen twentieths of the loss are denied",
        BULLETIN,
        [*SOLD_TWENTY, buy("b2", "2020-06-20", "X", "15", "90")],
        {
            "s.superficial_loss": "-75",
            "s.gain": "-25",
            "realised_total": "-25",
            "remaining_cost.X": "465",
            "pools.X.amount": "45",
        },
        WINDOW,
    ),
    Example(
        "without a window nothing is denied",
        BULLETIN,
        [*SOLD_TWENTY, buy("b2", "2020-06-20", "X", "15", "90")],
        {"s.superficial_loss": "None", "s.gain": "-100", "remaining_cost.X": "390"},
        ACB,
    ),
    Example(
        "day 30 is inside",
        BULLETIN,
        [*SOLD_TWENTY, buy("b2", "2020-07-01", "X", "20", "100")],
        {"s.superficial_loss": "-100", "s.gain": "0", "remaining_cost.X": "500"},
        WINDOW,
    ),
    Example(
        "day 31 is outside",
        BULLETIN,
        [*SOLD_TWENTY, buy("b2", "2020-07-02", "X", "20", "100")],
        {"s.superficial_loss": "None", "s.gain": "-100", "remaining_cost.X": "400"},
        WINDOW,
    ),
    Example(
        "what is no longer held at the end denies nothing",
        "Income Tax Act s. 54, superficial loss (b), by hand",
        [
            buy("b1", "2020-01-01", "X", "20", "200"),
            sell("s1", "2020-06-01", "X", "20", "100"),
            buy("b2", "2020-06-10", "X", "20", "90"),
            sell("s2", "2020-06-20", "X", "20", "95"),
        ],
        {"s1.gain": "-100", "s1.superficial_loss": "None", "s2.gain": "5", "remaining_lots": ""},
        WINDOW,
    ),
    Example(
        "bought before the sale and still held: all of it is denied",
        DONNA,
        [
            buy("b1", "2006-01-01", "XYZ", "100", "300"),
            buy("b2", "2006-03-01", "XYZ", "100", "100"),
            sell("s", "2006-03-02", "XYZ", "100", "100"),
        ],
        {"s.cost_basis": "200", "s.superficial_loss": "-100", "s.gain": "0", "remaining_cost.XYZ": "300"},
        WINDOW,
    ),
    Example(
        "a gain is never superficial",
        "Income Tax Act s. 54 by hand",
        [
            buy("b1", "2020-01-01", "X", "20", "100"),
            sell("s", "2020-06-01", "X", "20", "200"),
            buy("b2", "2020-06-10", "X", "20", "300"),
        ],
        {"s.gain": "100", "s.superficial_loss": "None", "remaining_cost.X": "300"},
        WINDOW,
    ),
    Example(
        "an own transfer re-averages the pool it enters",
        "hledger AVERAGE per account, by hand",
        [
            buy("b1", "2020-01-01", "X", "10", "100", account="a"),
            buy("b2", "2020-01-02", "X", "10", "200", account="b"),
            move("m", "2020-01-03", "X", "5", "a", "b"),
            sell("s", "2020-01-04", "X", "3", "100", account="b"),
        ],
        {
            "s.cost_basis": "50",
            "s.gain": "50",
            "remaining_cost.a:X": "50",
            "remaining_cost.b:X": "200",
            "pools.b:X.amount": "12",
        },
        {"method": "acb", "scope": "per_account"},
    ),
    Example(
        "an opening balance of the pool",
        "by hand",
        [opening("o", "2020-01-01", "X", "4", "100"), sell("s", "2020-02-01", "X", "1", "30")],
        {"s.cost_basis": "25", "remaining_cost.X": "75"},
        ACB,
    ),
    Example(
        "a redenomination leaves the cost",
        "by hand",
        [
            buy("b", "2020-01-01", "X", "4", "100"),
            row("split", "x", "2020-02-01", asset="X", ratio="1000"),
            sell("s", "2020-03-01", "X", "1000", "30"),
        ],
        {"s.cost_basis": "25", "pools.X.amount": "3000", "holdings.default.X": "3000"},
        ACB,
    ),
]
