"""What holds of every ledger: sums, conservation, repetition, undo, and what all methods agree on."""

import json
from collections import Counter
from decimal import Context, Decimal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apps.portfolios.domain.booking import Booking, book, scaled, text
from apps.portfolios.domain.policy import Method, Policy, parse_policy
from apps.portfolios.domain.result import RowWriter, as_portable, disposal_row
from apps.portfolios.domain.timeline import Timeline
from apps.portfolios.domain.transactions import Entry, EntryError, EntryType, parse_entry
from apps.portfolios.tests.ledgers import Row, ledgers, policies

calm = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
DAY_US = 86_400_000_000
EXACT = Context(prec=200)


def entries_of(rows: list[Row]) -> list[Entry]:
    found = []
    for index, row in enumerate(rows):
        try:
            found.append(parse_entry(row, index=index))
        except EntryError:
            continue
    return found


def figures(booking: Booking) -> dict[str, object]:
    return {name: value for name, value in as_portable(booking).items() if name != "errors"}


def booked(entries: list[Entry], booking: Booking) -> list[Entry]:
    bad = {problem.tx for problem in booking.problems if problem.code not in {"value_missing", "missing_acquisition"}}
    unpriced = {entry.id for entry in entries if entry.type is not EntryType.INCOME and lacks_value(booking, entry)}
    return [entry for entry in entries if entry.id not in bad | unpriced]


def lacks_value(booking: Booking, entry: Entry) -> bool:
    return any(problem.tx == entry.id and problem.code == "value_missing" for problem in booking.problems)


def lot_sums(booking: Booking) -> Counter[str]:
    sums: Counter[str] = Counter()
    for lot in booking.open_lots:
        sums[lot.asset] += lot.amount
    return sums


@calm
@given(rows=ledgers(), raw=policies)
def test_lots_are_holdings_plus_what_is_missing(rows: list[Row], raw: Row) -> None:
    policy = parse_policy(raw)
    entries = [entry for entry in entries_of(rows) if entry.type is not EntryType.SPLIT]
    booking = book(entries, policy)
    expected: Counter[str] = Counter()
    for (_, asset), amount in booking.holdings.items():
        expected[policy.bucket(asset)] += amount
    for short in booking.shortfalls:
        expected[policy.bucket(short.asset)] += short.missing
    lots = lot_sums(booking)
    assert {asset: lots[asset] for asset in expected} == dict(expected)


def moved(entry: Entry, quote: str = "USD") -> list[tuple[str, str, Decimal]]:
    """Return what one entry adds to accounts, read from its fields alone."""
    zero = Decimal(0)
    legs: list[tuple[str, str | None, Decimal]] = []
    amount = entry.amount or zero
    if entry.type in {EntryType.BUY, EntryType.INCOME, EntryType.POOL_OPENING}:
        legs.append((entry.account, entry.asset, amount))
    elif entry.type in {EntryType.SELL, EntryType.SPEND} or (entry.type is EntryType.FEE and entry.asset != quote):
        legs.append((entry.account, entry.asset, amount.copy_negate()))
    elif entry.type is EntryType.TRADE:
        legs += [(entry.account, entry.out_asset, (entry.out_amount or zero).copy_negate())]
        legs += [(entry.account, entry.in_asset, entry.in_amount or zero)]
    elif entry.type is EntryType.TRANSFER:
        legs += [(entry.from_account or "", entry.asset, amount.copy_negate())]
        legs += [(entry.to_account or "", entry.asset, amount if entry.received is None else entry.received)]
    if entry.fee and entry.fee_asset not in {None, quote}:
        legs.append((entry.from_account or entry.account, entry.fee_asset, entry.fee.copy_negate()))
    return [(account, asset or "", number) for account, asset, number in legs]


@calm
@given(rows=ledgers(), raw=policies)
def test_holdings_are_the_sum_of_entries(rows: list[Row], raw: Row) -> None:
    policy = parse_policy(raw)
    entries = [entry for entry in entries_of(rows) if entry.type is not EntryType.SPLIT]
    booking = book(entries, policy)
    sums: Counter[tuple[str, str]] = Counter()
    for entry in booked(entries, booking):
        for account, asset, number in moved(entry):
            sums[account, asset] += scaled(number)
    assert {place: amount for place, amount in booking.holdings.items() if amount} == {
        place: amount for place, amount in sums.items() if amount
    }


@calm
@given(rows=ledgers(), raw=policies)
def test_repeating_the_input_changes_no_figure(rows: list[Row], raw: Row) -> None:
    policy, entries = parse_policy(raw), entries_of(rows)
    assert figures(book([*entries, *entries], policy)) == figures(book(entries, policy))


@calm
@given(rows=ledgers(), extra=ledgers(size=4), raw=policies)
def test_undone_is_as_never_done(rows: list[Row], extra: list[Row], raw: Row) -> None:
    policy, kept = parse_policy(raw), entries_of(rows)
    added = entries_of([row | {"id": f"extra-{row['id']}"} for row in extra])
    both = [entry for pair in zip(kept, added, strict=False) for entry in pair]
    before = figures(book(kept, policy))
    book(both, policy)
    undone = [entry for entry in both if not entry.id.startswith("extra-")] + kept[len(added) :]
    assert figures(book(undone, policy)) == before


@calm
@given(rows=ledgers(), raw=policies)
def test_own_transfers_net_to_zero(rows: list[Row], raw: Row) -> None:
    entries = [entry for entry in entries_of(rows) if entry.type is EntryType.TRANSFER]
    whole = [parse_entry({**portable(entry), "received": None}) for entry in entries]
    booking = book(whole, parse_policy(raw))
    sums: Counter[str] = Counter()
    for (_, asset), amount in booking.holdings.items():
        sums[asset] += amount
    assert not any(sums.values())
    assert booking.totals.realised == 0


def portable(entry: Entry) -> Row:
    return {
        "id": entry.id,
        "ts": entry.at_us // 1000,
        "type": entry.type.value,
        "asset": entry.asset,
        "amount": entry.amount,
        "from_account": entry.from_account,
        "to_account": entry.to_account,
    }


deals = st.lists(
    st.tuples(st.booleans(), st.integers(1, 10**33), st.integers(0, 10**33), st.integers(0, 60)),
    min_size=1,
    max_size=12,
)


@calm
@given(deals=deals, fees=st.sampled_from(["basis", "separate"]))
def test_over_a_full_close_all_methods_gain_the_same(deals: list[tuple[bool, int, int, int]], fees: str) -> None:
    """Prices, a price of each deal; no sale exceeds what is there; at the end all is sold."""
    rows, held = [], 0
    for number, (is_buy, amount, value, after) in enumerate(sorted(deals, key=lambda deal: deal[3])):
        sold = min(amount, held)
        if not is_buy and not sold:
            continue
        held += amount if is_buy else -sold
        row: Row = {"id": str(number), "ts": after * DAY_US // 1000, "type": "buy" if is_buy else "sell"}
        rows.append(
            row | {"asset": "X", "amount": text(amount if is_buy else sold), "value": text(value), "fee": "0.1"}
        )
    assume(held)
    rows.append(
        {"id": "end", "ts": 61 * DAY_US // 1000, "type": "sell", "asset": "X", "amount": text(held), "value": "1"}
    )
    entries = entries_of(rows)
    bookings = [book(entries, parse_policy({"method": method.value, "fees": fees})) for method in Method]
    assert len({booking.totals.realised for booking in bookings}) == 1
    assert all(booking.open_lots == [] and booking.shortfalls == [] for booking in bookings)


@calm
@given(rows=ledgers(), method=st.sampled_from(list(Method)))
def test_cost_in_is_cost_out_plus_cost_left(rows: list[Row], method: Method) -> None:
    """Without fees in coins and losses on the way nothing but disposals takes cost out."""
    kinds = {EntryType.BUY, EntryType.SELL, EntryType.TRADE, EntryType.INCOME, EntryType.SPEND}
    entries = [entry for entry in entries_of([row | {"fee": None} for row in rows]) if entry.type in kinds]
    booking = book(entries, Policy(method=method))
    spent = sum(record.cost for record in booking.disposals)
    left = sum(lot.cost for lot in booking.open_lots)
    assert spent + left == sum(cost_in(entry) for entry in booked(entries, booking))
    assert all(record.gain == record.proceeds - record.cost for record in booking.disposals)


def cost_in(entry: Entry) -> int:
    if entry.type in {EntryType.SELL, EntryType.SPEND} or (
        entry.type is EntryType.TRADE and entry.out_asset == entry.in_asset
    ):
        return 0
    if entry.value is not None or entry.price is None:
        return scaled(entry.value or Decimal(0))
    product = EXACT.multiply(entry.price, entry.amount or Decimal(0))
    return scaled(EXACT.quantize(product, Decimal("1e-30")))


@calm
@given(rows=ledgers(), raw=policies)
def test_every_figure_is_plain_text_and_written_in_one_way(rows: list[Row], raw: Row) -> None:
    policy = parse_policy(raw)
    booking = book(entries_of(rows), policy)
    assert all_plain(as_portable(booking))
    writer, long_us = RowWriter(timeline=Timeline(policy)), policy.long_days * DAY_US
    for record in booking.disposals:
        assert json.loads(writer.disposal(record)) == disposal_row(record, long_us=long_us)


def all_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(all_plain(item) for item in value.values())
    if isinstance(value, list):
        return all(all_plain(item) for item in value)
    if isinstance(value, str):
        return "E+" not in value and "NaN" not in value
    return value is None or isinstance(value, int)
