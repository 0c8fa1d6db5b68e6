"""Rows of every venue as entries: golden payloads, sums of wallets, and the same as from the venue's own files."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from apps.exchanges.domain.normalize import held, normalize
from apps.exchanges.domain.reading import Stream, VenueBalance
from apps.exchanges.tests.golden import MONEY, cases_of, line_of, row_of, told
from apps.portfolios.domain.importing import kraken, kucoin
from apps.portfolios.domain.importing.layouts import Layout
from apps.portfolios.domain.importing.reading import Line, Reading
from apps.portfolios.domain.sameness import difference

VENUES = ("binance", "bitstamp", "coinbase", "kraken", "kucoin")


@pytest.mark.parametrize("exchange", VENUES)
def test_every_row_comes_to_what_it_means(exchange: str) -> None:
    cases = cases_of(exchange)
    assert {case["name"]: told(exchange, case) for case in cases} == {case["name"]: case["told"] for case in cases}


@pytest.mark.parametrize("exchange", VENUES)
def test_a_bad_row_hides_no_good_one_and_every_entry_is_found_again(exchange: str) -> None:
    cases = cases_of(exchange)
    found = normalize(exchange=exchange, rows=[row_of(case) for case in cases], account="Home", currency=MONEY)
    lines = [line for case in cases for line in case["told"]]
    assert [line_of(draft) for draft in found.drafts] == [line for line in lines if not line.startswith("problem")]
    assert [f"problem {one.code}" for one in found.problems] == [line for line in lines if line.startswith("problem")]
    numbers = {case["id"] for case in cases}
    assert {found.of.get(str(one.external_id), one.external_id) for one in found.drafts} <= numbers
    assert {one.external_id for one in found.problems} <= numbers


def test_the_same_number_in_two_pairs_has_a_second_id_each() -> None:
    case = cases_of("binance")[0]
    rows = [row_of(case), row_of({**case, "symbol": "ETH/USDT"})]
    found = normalize(exchange="binance", rows=rows, account="Home", currency=MONEY)
    assert found.spare[case["id"]] == f"{case['id']}:ETH/USDT"


def test_wallets_and_flavors_of_one_coin_are_one_sum() -> None:
    def held_at(exchange: str, **amounts: str) -> dict[str, Decimal]:
        told = [
            VenueBalance(asset=name.replace("_", "."), wallet="any", amount=Decimal(amount))
            for name, amount in amounts.items()
        ]
        return held(exchange=exchange, balances=told)

    flavors = held_at("kraken", XXBT="1", XBT_F="0.5", ADA="1", ADA_S="2", DOT28_S="3", ETH2="1", ETH2_S="1", ZUSD="0")
    assert flavors == {"BTC": Decimal("1.5"), "ADA": Decimal(3), "DOT": Decimal(3), "ETH": Decimal(2)}
    wide = held_at("kucoin", USDT="10000000000000000000000000000", usdt="0.000000000000000001")
    assert wide == {"USDT": Decimal("10000000000000000000000000000.000000000000000001")}


def _from_file(exchange: str, layout: Layout, cells: dict[str, str]) -> Any:
    line = Line(2, list(cells.values()), {name: place for place, name in enumerate(cells)})
    (row,) = layout.read(Reading(source=exchange, account="Home", currency=MONEY), [line])
    assert row.error is None
    return row.draft


def _from_venue(exchange: str, name: str) -> Any:
    case = next(case for case in cases_of(exchange) if case["name"] == name)
    found = normalize(exchange=exchange, rows=[row_of(case)], account="Home", currency=MONEY)
    return found.drafts[0]


def test_a_file_and_the_venue_tell_one_entry_once() -> None:
    deposit = {
        "txid": "LMKZCZ-Z3GVL-CXKK4H", "refid": "TDLYH4-KOFQB-6LZHDH", "time": "2023-11-14 22:13:20",
        "type": "deposit", "subtype": "", "asset": "BTC", "amount": "0.5", "fee": "0", "balance": "0.5",
    }  # fmt: skip
    trade = {
        "txid": "TCWJEG-FL4SZ-3FKGH6", "pair": "XBT/EUR", "time": "2023-11-14 22:13:20.0", "type": "sell",
        "cost": "600.20000", "fee": "1.56", "vol": "0.02", "margin": "0.00000",
    }  # fmt: skip
    spot = {
        "tradecreatedat": "2023-11-14 22:13:20", "symbol": "BTC-USDT", "side": "sell", "size": "0.8424304",
        "funds": "0.0699217232", "fee": "0.0001", "feecurrency": "KCS", "tradeid": "5c35c02709e4f67d5266954f",
    }  # fmt: skip
    pairs = [
        (_from_file("kraken", kraken.LAYOUTS[0], deposit), _from_venue("kraken", "a deposit with hash and address")),
        (
            _from_file("kraken", kraken.LAYOUTS[1], trade),
            _from_venue("kraken", "a sale of bitcoin for the portfolio's own money"),
        ),
        (
            _from_file("kucoin", kucoin.LAYOUTS[0], spot),
            _from_venue("kucoin", "a sale with the fee in the venue's coin"),
        ),
    ]
    for filed, told_by_venue in pairs:
        assert filed.external_id == told_by_venue.external_id
        exact = replace(told_by_venue, at_us=told_by_venue.at_us + 123_000)
        assert difference(kept=filed, told=exact, money=MONEY) == ""
        assert "ts" in difference(kept=filed, told=replace(exact, at_us=exact.at_us + 1_000_000), money=MONEY)


def test_rows_of_a_stream_that_is_not_read_are_problems() -> None:
    row = row_of({**cases_of("kraken")[0], "stream": "dust"})
    (problem,) = normalize(exchange="kraken", rows=[row], account="Home", currency=MONEY).problems
    assert (problem.code, problem.stream) == ("stream_unknown", Stream.DUST)
