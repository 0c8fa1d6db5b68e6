"""Names of instruments, and what codes mean at a place and a time."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.markets.domain.assets import RENAMES, Meaning, facts_of, meaning_of
from apps.markets.domain.instruments import VENUES, InstrumentName, InstrumentNameError

_CODES = st.from_regex(r"[A-Z0-9.]{1,10}", fullmatch=True)
EARLY, LATE = datetime(2021, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


@given(st.sampled_from(VENUES), _CODES, _CODES)
def test_a_name_survives_both_ways_of_writing(venue: str, base: str, quote: str) -> None:
    name = InstrumentName(venue, base, quote)
    assert InstrumentName.parse(str(name)) == InstrumentName.parse(name.path) == name


@pytest.mark.parametrize(
    "text",
    ["", "BTC/USDT", "binance:BTCUSDT", "mtgox:BTC/USD", "binance:BTC/USDT/X", "binance:/USDT", "binance:BTC/",
     "x" * 999, "binance:B C/USDT", "binance:BTC/USDT\n", "binance:BTC,ETH/USDT", "binance:BTC/USDT:USDT",
     "Binance:BTC/USDT"],
)  # fmt: skip
def test_what_is_no_name_is_refused_with_words(text: str) -> None:
    with pytest.raises(InstrumentNameError, match="venue:BASE/QUOTE") as raised:
        InstrumentName.parse(text)
    assert len(raised.value.text) <= 100


@pytest.mark.parametrize(
    ("symbol", "kind", "peg", "digits"),
    [("JPY", "fiat", "", 0), ("USD", "fiat", "", 2), ("EURC", "stablecoin", "EUR", 2), ("BTC", "crypto", "", 8),
     ("RON", "fiat", "", 2), ("NOBODYKNOWS", "crypto", "", 8)],
)  # fmt: skip
def test_facts(symbol: str, kind: str, peg: str, digits: int) -> None:
    facts = facts_of(symbol)
    assert (facts.kind, facts.peg, facts.digits) == (kind, peg, digits)


@pytest.mark.parametrize(
    ("code", "at", "symbol"),
    [("MATIC", EARLY, "POL"), ("MATIC", LATE, "POL"), ("LUNA", EARLY, "LUNC"), ("LUNA", LATE, "LUNA"),
     ("UST", EARLY, "USTC"), ("BTC", EARLY, "BTC")],
)  # fmt: skip
def test_renames_and_taken_tickers(code: str, at: datetime, symbol: str) -> None:
    assert meaning_of(code, place="binance", at=at, meanings=RENAMES) == symbol


def test_a_venues_own_word_counts_there_alone() -> None:
    meanings = [Meaning("kraken", "REP", "REPV2", from_at=EARLY), *RENAMES]
    assert meaning_of("REP", place="kraken", at=LATE, meanings=meanings) == "REPV2"
    assert meaning_of("REP", place="binance", at=LATE, meanings=meanings) == "REP"
    assert meaning_of("MATIC", place="", at=LATE, meanings=RENAMES, symbols={"MATIC"}) == "MATIC"
