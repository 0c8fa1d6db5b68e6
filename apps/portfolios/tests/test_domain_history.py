"""A ledger lived through day by day: what was worth what, what money moved, and what percentages may be said of it."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.money import plain
from apps.portfolios.domain.drafts import OUTSIDE
from apps.portfolios.domain.history import DAY_US, History, HistoryDay, history
from apps.portfolios.domain.legs import fees_paid, legs
from apps.portfolios.domain.measures import Flow
from apps.portfolios.domain.measures.arithmetic import WIDE
from apps.portfolios.domain.performance import benchmark, cash_flows, date_of, performance
from apps.portfolios.domain.transactions import Entry, EntryType, parse_entry
from apps.portfolios.domain.valuation import concentration, shares

FIRST = 19_700
few = settings(max_examples=25, deadline=None)


class Closes:
    """Closes since the first day; None is unknown, and the last one goes on."""

    def __init__(self, *closes: str | None) -> None:
        self._closes = [None if close is None else Decimal(close) for close in closes]

    def value(self, day: int) -> Decimal | None:
        place = day - FIRST
        return self._closes[min(place, len(self._closes) - 1)] if place >= 0 else None


def entry(day: int, what: str, /, **fields: str) -> Entry:
    """Make an entry at noon of a day since the first."""
    ts = (FIRST + day) * 86_400_000 + 43_200_000
    return parse_entry({"id": f"{day}-{what}-{sorted(fields.items())}", "ts": ts, "type": what, **fields})


def same(found: object, wanted: object) -> None:
    """Compare exact numbers with whole ones."""
    assert found == wanted


def lived(entries: Sequence[Entry], last: int, /, *, since: int | None = None, **prices: Closes) -> History:
    """Live through entries in USD to a day since the first."""
    start = None if since is None else FIRST + since
    return history(entries, money="USD", prices=prices, last_day=FIRST + last, since=start)


def rows(past: History) -> list[tuple[str, str, str]]:
    """Return value, deposits and withdrawals of each day but the empty one before the first."""
    return [(plain(day.value), plain(day.deposits), plain(day.withdrawals)) for day in past.days[1:]]


def test_money_that_lies_in_the_account_pays_for_what_is_bought_without_a_flow() -> None:
    own = {"asset": "USD", "from_account": OUTSIDE, "to_account": "default"}
    spent = {"asset": "USD", "amount": "202", "from_account": "default", "to_account": OUTSIDE}
    ledger = [
        entry(0, "transfer", amount="1000", **own),
        entry(1, "buy", **BUY, fee="2"),
        entry(1, "transfer", **spent),
        entry(2, "sell", **ONE, price="150", fee="1"),
        entry(2, "transfer", **own, amount="149"),
    ]
    past = lived(ledger, 2, BTC=Closes("100", "100", "150"), USD=Closes("1"))
    assert rows(past) == [("1000", "1000", "0"), ("998", "0", "0"), ("1097", "0", "0")]
    same((past.by_asset["USD"], past.by_asset["BTC"]), (0, 97))


BUY = {"asset": "BTC", "amount": "2", "price": "100"}
ONE = {"asset": "BTC", "amount": "1"}
SWAP = {"out_asset": "BTC", "out_amount": "1", "in_asset": "ETH", "in_amount": "5"}
INSIDE = {"from_account": "default", "to_account": "cold"}
AWAY = {"from_account": "default", "to_account": OUTSIDE}
ARRIVED = {"from_account": OUTSIDE, "to_account": "cold"}
SHORT = {**ONE, "received": "0.9"}
ETH_FEE = {"fee": "0.5", "fee_asset": "ETH"}


# --- Each type of entry -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("happened", "wanted", "fees"),
    [
        ([("buy", {**BUY, "fee": "5"})], ("220", "205", "0"), "5"),
        ([("buy", {**BUY, "fee": "0.1", "fee_asset": "BTC", "fee_value": "11"})], ("209", "200", "0"), "11"),
        ([("buy", {**BUY, "fee": "0.1", "fee_asset": "BTC"})], ("209", "200", "0"), "11"),
        ([("buy", BUY), ("sell", {**ONE, "value": "108", "fee": "3"})], ("110", "200", "105"), "3"),
        ([("buy", BUY), ("trade", {**SWAP, "value": "104"})], ("210", "200", "0"), "0"),
        ([("buy", BUY), ("trade", {**SWAP, "fee": "2", "fee_on": "out"})], ("210", "202", "0"), "2"),
        ([("income", {**ONE, "price": "90", "kind": "staking"})], ("110", "0", "0"), "0"),
        ([("buy", BUY), ("spend", ONE)], ("110", "200", "110"), "0"),
        ([("buy", BUY), ("fee", ONE)], ("110", "200", "0"), "110"),
        ([("buy", BUY), ("fee", {**ONE, "value": "99"})], ("110", "200", "0"), "99"),
        ([("buy", BUY), ("split", {"asset": "BTC", "ratio": "10"})], ("2200", "200", "0"), "0"),
        ([("buy", BUY), ("return_of_capital", {"asset": "BTC", "value": "7"})], ("220", "200", "7"), "0"),
        ([("pool_opening", {**ONE, "value": "1"})], ("110", "110", "0"), "0"),
        ([("buy", BUY), ("transfer", {**SHORT, **INSIDE})], ("209", "200", "0"), "11"),
        ([("buy", BUY), ("transfer", {**SHORT, **AWAY, "fee_value": "12"})], ("110", "200", "99"), "12"),
        ([("transfer", {**SHORT, **ARRIVED})], ("99", "99", "0"), "0"),
        ([("transfer", {**ONE, **INSIDE, **ETH_FEE})], ("-10", "0", "0"), "10"),
        ([("transfer", {**ONE, **ARRIVED, "asset": "NONE"})], ("0", "0", "0"), "0"),
    ],
)
def test_what_an_entry_does_to_value_and_money(
    happened: list[tuple[str, dict[str, str]]], wanted: tuple[str, str, str], fees: str
) -> None:
    entries = [entry(0, kind, **fields) for kind, fields in happened]
    past = lived(entries, 0, BTC=Closes("110"), ETH=Closes("20"))
    assert rows(past) == [wanted]
    assert past.fees == Decimal(fees)


def test_a_foreign_fee_counts_at_its_worth() -> None:
    bought = entry(0, "buy", asset="BTC", amount="1", value="110", fee="4", fee_value="5", quote="EUR")
    assert [leg.fixed for leg in legs(bought, money="USD", price_of=lambda _asset: None)] == [115]
    assert fees_paid(bought, money="USD", price_of=lambda _asset: None) == 5


def test_what_assets_and_accounts_made_is_the_profit() -> None:
    entries = [
        entry(0, "buy", **BUY, account="kraken"),
        entry(1, "income", asset="ETH", amount="1", kind="airdrop"),
        entry(
            1, "trade", out_asset="BTC", out_amount="1", in_asset="ETH", in_amount="5", value="110", account="kraken"
        ),
        entry(2, "transfer", asset="ETH", amount="5", received="4", from_account="kraken", to_account="cold"),
        entry(3, "sell", asset="ETH", amount="1", value="40", fee="1", account="cold"),
    ]
    past = lived(entries, 3, BTC=Closes("100", "110", "120", "130"), ETH=Closes("20", "20", "30", "40"))
    assert rows(past)[-1] == ("290", "0", "39")  # 1 BTC, 3 ETH cold, 1 ETH here
    profit = Decimal(290 + 39 - 200)
    assert sum(past.by_asset.values()) == sum(past.by_account.values()) == profit
    assert past.by_asset == {"BTC": 40, "ETH": 89}
    # The default account: 1 ETH worth 40. Cold: 4 ETH came at 30, three are worth 40 and one brought 39.
    assert past.by_account == {"default": 40, "cold": 39, "kraken": 50}
    assert past.income == 20
    since = lived(entries, 3, since=3, BTC=Closes("100", "110", "120", "130"), ETH=Closes("20", "20", "30", "40"))
    assert since.by_asset == {"BTC": 10, "ETH": 49}
    same((since.income, since.fees), (0, 1))
    assert lived(entries, 3, since=9, BTC=Closes("1"), ETH=Closes("1")).by_asset == {}
    assert lived([], 3).days == lived(entries, -1).days == ()


def test_income_counts_at_what_it_was_worth() -> None:
    told = [
        entry(0, "income", asset="BTC", amount="1", value="7"),
        entry(0, "income", asset="BTC", amount="2", price="3"),
        entry(0, "income", asset="NONE", amount="2"),
    ]
    assert lived(told, 0, BTC=Closes("110")).income == 13


# --- Days without a price ---------------------------------------------------------------------------------------------
def test_a_price_that_is_not_known_is_neither_loss_nor_gain() -> None:
    entries = [
        entry(0, "buy", **BUY),
        entry(0, "buy", asset="ODD", amount="10", value="50"),
        entry(2, "buy", asset="ODD", amount="10", value="90"),
        entry(4, "sell", asset="ODD", amount="20", value="400"),
    ]
    past = lived(entries, 5, BTC=Closes("100"), ODD=Closes("5", "6", None, "9", "10"))
    assert [day.unpriced for day in past.days] == [(), (), (), ("ODD",), (), (), ()]
    assert [day.value for day in past.days[1:]] == [250, 260, 200, 380, 200, 200]
    found = performance(past.days, first_day=FIRST, last_day=FIRST + 5)
    assert found is not None
    # 260 of 250; 60 are let out on the third day, 180 in on the fourth; on the fifth 180 are sold for 400.
    assert found.twr is not None
    assert abs(found.twr - (Decimal(260) / 250 * 600 / 380 - 1)) < Decimal("1e-25")
    same((found.deposits, found.withdrawals, found.unpriced_days), (340, 400, 1))
    assert sum(past.by_asset.values()) == found.profit


def test_what_never_had_a_price_is_left_out_and_named() -> None:
    past = lived([entry(0, "buy", asset="ODD", amount="10", value="50")], 1)
    same([(day.value, day.unpriced) for day in past.days[1:]], [(0, ("ODD",)), (0, ("ODD",))])
    found = performance(past.days, first_day=FIRST, last_day=FIRST + 1)
    assert found is not None
    assert (found.twr, found.roi, found.xirr, found.samples) == (None, None, None, 0)


def test_what_is_sold_on_a_day_without_a_price_leaves_at_its_last_worth() -> None:
    entries = [entry(0, "buy", **BUY), entry(1, "sell", asset="BTC", amount="2", value="500")]
    last = lived(entries, 1, BTC=Closes("100", None)).days[-1]
    same((last.value, last.outflow, last.withdrawals, last.unpriced), (0, 200, 500, ()))


def test_a_split_is_no_gain_with_a_price_or_without() -> None:
    entries = [entry(0, "buy", **BUY), entry(1, "split", asset="BTC", ratio="4")]
    assert rows(lived(entries, 1, BTC=Closes("100", "25")))[-1] == ("200", "0", "0")
    dark = lived(entries, 2, BTC=Closes("100", None, "25"))
    assert [(plain(day.value), plain(day.inflow), plain(day.outflow)) for day in dark.days[2:]] == [
        ("0", "0", "200"),
        ("200", "200", "0"),
    ]
    assert dark.by_asset == {"BTC": 0}


def test_the_longest_amounts_keep_every_digit() -> None:
    long = "1234567890123456789012345678901234567890.123456789012345678901234567891"
    entries = [
        entry(0, "buy", asset="BTC", amount=long, value=long),
        entry(1, "transfer", asset="BTC", amount=long, **INSIDE),
        entry(2, "sell", asset="BTC", amount=long, value=long, account="cold"),
    ]
    past = lived(entries, 2, BTC=Closes("1.000000000000000001"))
    assert [plain(day.value) for day in past.days] == [
        "0",
        *[plain(WIDE.multiply(Decimal(long), Decimal("1.000000000000000001")))] * 2,
        "0",
    ]
    assert [plain(day.outflow) for day in past.days][-1] == long
    assert [flow.amount for flow in cash_flows(past.days, first_day=FIRST, last_day=FIRST + 2)] == [
        Decimal(long).copy_negate(),
        Decimal(long),
    ]


def test_a_trade_into_what_has_no_price_takes_its_money_out() -> None:
    entries = [
        entry(0, "buy", **BUY),
        entry(1, "trade", out_asset="BTC", out_amount="1", in_asset="ODD", in_amount="5"),
    ]
    past = lived(entries, 1, BTC=Closes("100"))
    same((past.days[-1].value, past.days[-1].outflow, past.days[-1].withdrawals), (100, 100, 0))


# --- Figures ----------------------------------------------------------------------------------------------------------
def days(*moved: tuple[str, str, str]) -> list[HistoryDay]:
    """Make days: value, inflow, outflow; the first one is the empty day before."""
    nothing = Decimal(0)
    found = [HistoryDay(FIRST - 1, nothing, nothing, nothing, nothing, nothing)]
    for place, row in enumerate(moved):
        value, inflow, outflow = map(Decimal, row)
        found.append(HistoryDay(FIRST + place, value, inflow, outflow, inflow, outflow))
    return found


def test_a_year_by_hand() -> None:
    moved = [("100", "100", "0"), *[("100", "0", "0")] * 364, ("110", "0", "0")]
    found = performance(days(*moved), first_day=0, last_day=FIRST + 999)
    assert found is not None
    same((found.start_value, found.end_value, found.deposits, found.profit), (0, 110, 100, 10))
    assert found.twr == found.xirr == found.roi == Decimal("0.1")
    same((found.max_drawdown, found.max_drawdown_days, found.current_drawdown, found.calmar), (0, 0, 0, None))
    assert found.samples == 366
    part = performance(days(*moved), first_day=FIRST + 365, last_day=FIRST + 365)
    assert part is not None
    same((part.start_value, part.end_value, part.twr, part.roi), (100, 110, Decimal("0.1"), Decimal("0.1")))
    flows = cash_flows(days(*moved), first_day=FIRST + 365, last_day=FIRST + 365)
    assert flows == [Flow(date_of(FIRST + 364), Decimal(-100)), Flow(date_of(FIRST + 365), Decimal(110))]
    assert cash_flows([], first_day=0, last_day=9) == []


def test_under_sixty_days_there_is_no_risk_and_no_yearly_rate() -> None:
    grown = [("100", "100", "0"), *[(str(100 + day % 3), "0", "0") for day in range(60)]]
    short = performance(days(*grown), first_day=FIRST, last_day=FIRST + 58)
    enough = performance(days(*grown), first_day=FIRST, last_day=FIRST + 59)
    assert short is not None
    assert enough is not None
    assert (short.samples, enough.samples) == (59, 60)
    hidden = (
        "xirr",
        "volatility",
        "sharpe",
        "sortino",
        "calmar",
        "max_drawdown",
        "max_drawdown_days",
        "current_drawdown",
    )
    assert [getattr(short, name) for name in hidden] == [None] * len(hidden)
    assert None not in [getattr(enough, name) for name in hidden]
    assert short.twr is not None


def test_of_next_to_nothing_there_is_no_percentage() -> None:
    """An emptied account with dust in it: the dust may fall to nothing without taking the return with it."""
    emptied = days(
        ("1000", "1000", "0"), ("0.01", "0", "1099.99"), ("0", "0", "0"), ("50", "50", "0"), ("55", "0", "0")
    )
    found = performance(emptied, first_day=FIRST, last_day=FIRST + 4)
    assert found is not None
    assert found.twr == Decimal("0.21")
    dust = performance(emptied, first_day=FIRST + 2, last_day=FIRST + 2)
    assert dust is not None
    assert (dust.twr, dust.roi, dust.profit) == (None, None, Decimal("-0.01"))
    assert performance([], first_day=0, last_day=9) is None
    assert performance(emptied, first_day=FIRST + 9, last_day=FIRST + 10) is None


def test_the_same_deposits_into_something_else() -> None:
    moved = days(("100", "100", "0"), ("160", "50", "0"), ("150", "0", "30"))
    coin, other = Closes("10", "25", "20"), Closes("1")
    both = benchmark(moved, first_day=FIRST, last_day=FIRST + 2, parts=[coin, other])
    assert (both.twr, both.same_flows_value) == (Decimal("0.5"), Decimal(10 - 5 + 1) * 20 - 15 + 60)
    assert benchmark(moved, first_day=FIRST, last_day=FIRST + 2, parts=[]).twr is None
    later = benchmark(moved, first_day=FIRST + 2, last_day=FIRST + 2, parts=[coin])
    assert (later.twr, later.same_flows_value) == (Decimal("-0.2"), (160 - Decimal("37.5")) / 25 * 20)
    unknown = benchmark(moved, first_day=FIRST, last_day=FIRST + 2, parts=[coin, Closes(None)])
    assert (unknown.twr, unknown.same_flows_value) == (None, None)
    ended = benchmark(moved, first_day=FIRST, last_day=FIRST + 2, parts=[Closes("1", "1", None)])
    assert ended.same_flows_value is None


bought = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(["A", "B"]), st.integers(1, 10**12), st.integers(1, 10**12)),
    min_size=1,
    max_size=8,
)


@few
@given(bought=bought, scale=st.sampled_from(["1e-12", "3", "1e12"]))
def test_percentages_do_not_depend_on_the_size_of_money(bought: list[tuple[int, str, int, int]], scale: str) -> None:
    entries = [
        entry(day, "buy", asset=asset, amount=str(amount), value=str(value))
        for day, asset, amount, value in sorted(bought)
    ]
    scaled = [replace(one, value=one.value * Decimal(scale)) for one in entries if one.value is not None]
    closes = {"A": ["3", "5", "2", "9"], "B": ["1", "7"]}
    one = lived(entries, 30, A=Closes(*closes["A"]), B=Closes(*closes["B"]))
    factor = Decimal(scale)
    scaled_up = {asset: [str(Decimal(close) * factor) for close in row] for asset, row in closes.items()}
    other = lived(scaled, 30, A=Closes(*scaled_up["A"]), B=Closes(*scaled_up["B"]))
    first, second = (performance(past.days, first_day=FIRST, last_day=FIRST + 30) for past in (one, other))
    assert first is not None
    assert second is not None
    assert (first.twr, first.roi, first.samples) == (second.twr, second.roi, second.samples)
    assert (
        sum(one.by_asset.values())
        == sum(one.by_account.values())
        == one.days[-1].value - sum(day.deposits for day in one.days)
    )


# --- Values -----------------------------------------------------------------------------------------------------------
def test_shares_and_concentration() -> None:
    assert shares({"a": Decimal(1), "b": Decimal(3)}) == {"b": Decimal("0.75"), "a": Decimal("0.25")}
    assert shares({"a": Decimal(-1)}) == {}
    assert concentration({"a": Decimal(1), "b": Decimal(1), "c": Decimal(-1)}) == Decimal("0.5")
    assert concentration({}) is None
    long = Decimal("12345678901234567890.123456789012345678901234567891")
    assert shares({"a": long, "b": long.copy_negate(), "c": Decimal(1)}) == {"a": long, "c": 1, "b": long.copy_negate()}


def test_a_day_is_a_day_in_utc() -> None:
    late = replace(entry(0, "buy", **BUY), at_us=(FIRST + 1) * DAY_US - 1)
    assert late.type is EntryType.BUY
    assert rows(lived([late], 1, BTC=Closes("100", "101"))) == [("200", "200", "0"), ("202", "0", "0")]
