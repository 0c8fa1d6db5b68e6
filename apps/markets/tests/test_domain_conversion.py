"""Ways from one asset to another: which is taken, and what it is worth exactly."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.core.money import divide
from apps.markets.domain.conversion import FRESH_MS, Edge, Quoted, best_route, useful_edges
from apps.markets.domain.instruments import InstrumentName

NOW = 1_800_000_000_000


def _quoted(name: str, price: str, *, age: int = 0, size: str = "1") -> Quoted:
    parsed = InstrumentName.parse(name)
    return Quoted(Edge(parsed, parsed.base, parsed.quote, Decimal(size)), Decimal(price), NOW - age, parsed.venue)


def _way(source: str, target: str, *quotes: Quoted) -> list[str]:
    route = best_route(source, target, quotes, now_ms=NOW)
    assert route is not None
    return [f"{step.quoted.edge.instrument}{'^-1' if step.inverse else ''}" for step in route.steps]


def test_one_is_worth_one_of_itself() -> None:
    route = best_route("BTC", "BTC", [], now_ms=NOW)
    assert route is not None
    assert (route.value, route.steps, route.ts) == (Decimal(1), (), None)


def test_a_direct_way_counts_before_a_longer_one_and_may_be_inverse() -> None:
    direct, through = _quoted("kraken:BTC/EUR", "90000"), _quoted("binance:BTC/USDT", "100000", size="999")
    other = _quoted("kraken:EUR/USDT", "1.1", size="999")
    assert _way("BTC", "EUR", direct, through, other) == ["kraken:BTC/EUR"]
    assert _way("EUR", "BTC", direct, through, other) == ["kraken:BTC/EUR^-1"]
    assert _way("BTC", "EUR", through, other) == ["binance:BTC/USDT", "kraken:EUR/USDT^-1"]


def test_fresh_prices_count_before_a_short_way_and_size_decides_between_equals() -> None:
    old = _quoted("kraken:BTC/EUR", "90000", age=FRESH_MS + 1)
    fresh = [_quoted("binance:BTC/USDT", "100000"), _quoted("kraken:EUR/USDT", "1.1")]
    assert _way("BTC", "EUR", old, *fresh) == ["binance:BTC/USDT", "kraken:EUR/USDT^-1"]
    assert _way("BTC", "EUR", old) == ["kraken:BTC/EUR"]
    small, large = _quoted("binance:BTC/USDT", "1", size="5"), _quoted("kucoin:BTC/USDT", "2", size="7")
    assert _way("BTC", "USDT", small, large) == ["kucoin:BTC/USDT"]


def test_a_way_leads_through_hubs_only_and_ends_after_three_steps() -> None:
    quotes = [_quoted("binance:AAA/DOGE", "1"), _quoted("binance:DOGE/USDT", "1")]
    assert best_route("AAA", "USDT", quotes, now_ms=NOW) is None
    chain = [
        _quoted("binance:AAA/BTC", "2"),
        _quoted("binance:BTC/USDT", "3"),
        _quoted("kraken:EUR/USDT", "4"),
        _quoted("kraken:EUR/CHF", "5"),
    ]
    assert best_route("AAA", "CHF", chain, now_ms=NOW) is None
    assert _way("BTC", "CHF", *chain) == ["binance:BTC/USDT", "kraken:EUR/USDT^-1", "kraken:EUR/CHF"]


def test_a_depegged_coin_is_worth_its_price() -> None:
    route = best_route(
        "BTC", "USD", [_quoted("binance:BTC/USDT", "100000"), _quoted("kraken:USDT/USD", "0.88")], now_ms=NOW
    )
    assert route is not None
    assert route.value == Decimal(88000)
    assert route.sources == ("binance", "kraken")


@given(
    st.decimals("0.000001", "1000000", places=6),
    st.decimals("0.000001", "1000000", places=6),
)
def test_a_way_is_rounded_once(first: Decimal, second: Decimal) -> None:
    quotes = [_quoted("binance:AAA/USDT", str(first)), _quoted("kraken:BTC/USDT", str(second))]
    route = best_route("AAA", "BTC", quotes, now_ms=NOW)
    assert route is not None
    assert route.value == divide(first, second)


def test_useful_connections_are_those_a_way_could_take() -> None:
    names = ("binance:AAA/USDT", "binance:BBB/USDT", "binance:BTC/USDT", "binance:AAA/DOGE", "kraken:AAA/CHF")
    edges = [_quoted(name, "1").edge for name in names]
    found = useful_edges(edges, sources=["AAA"], target="CHF")
    assert [str(edge.instrument) for edge in found] == [names[0], names[2], names[4]]
