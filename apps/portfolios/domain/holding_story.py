"""What happened to one asset, day by day: what was bought and sold of it, and what one of it cost on average."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Final

from apps.core.money import divide, from_scaled
from apps.portfolios.domain.booking import State, book, line_of, walked
from apps.portfolios.domain.history import DAY_US, day_of
from apps.portfolios.domain.legs import stated_value
from apps.portfolios.domain.measures.arithmetic import WIDE
from apps.portfolios.domain.policy import Method, Policy
from apps.portfolios.domain.timeline import Timeline, always
from apps.portfolios.domain.transactions import Entry, EntryType

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class AverageCost:
    """What one of what is held at the end of a day cost; None where nothing is held."""

    day: int
    unit: Decimal | None


@dataclass(slots=True)
class TradedDay:
    """What was bought and sold of an asset on one day; `gain` is that of what was sold, by the policy."""

    day: int
    bought: Decimal = _ZERO
    paid: Decimal = _ZERO
    buys: int = 0
    sold: Decimal = _ZERO
    received: Decimal = _ZERO
    sells: int = 0
    gain: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class HoldingStory:
    """The days of one asset, oldest first."""

    averages: tuple[AverageCost, ...]
    traded: tuple[TradedDay, ...]


def holding_story(entries: Sequence[Entry], rules: Policy | Timeline, *, asset: str, money: str) -> HoldingStory:
    """Tell the story of an asset from the entries that name it, in the order of booking."""
    return HoldingStory(
        averages=tuple(_averages(entries, always(rules), asset=asset, money=money)),
        traded=tuple(_traded(entries, always(rules), asset=asset, money=money)),
    )


def _averages(entries: Sequence[Entry], timeline: Timeline, *, asset: str, money: str) -> Iterator[AverageCost]:
    """Book line after line and look at the end of each day; pools that are settled by days are shown as one average."""
    changes = [change._replace(policy=_by_averages(change.policy)) for change in timeline.changes]
    shown = Timeline(_by_averages(timeline.first), tuple(changes))
    lines = [line_of(entry) for entry in entries]
    for place, (line, state) in enumerate(walked(lines, shown, quote=money)):
        day = line.at_us // DAY_US
        if place + 1 == len(lines) or lines[place + 1].at_us // DAY_US != day:
            yield AverageCost(day, _unit_cost(state, state.policy.bucket(asset)))


def _by_averages(policy: Policy) -> Policy:
    return replace(policy, method=Method.ACB) if policy.method is Method.UK_S104 else policy


def _unit_cost(state: State, bucket: str) -> Decimal | None:
    amount = cost = 0
    for key, basis in state.books.bases.items():
        if key[0] == bucket:
            for lot in basis.open_lots(key):
                amount += lot.amount
                cost += lot.cost
    return divide(from_scaled(cost), from_scaled(amount)) if amount > 0 else None


def _traded(entries: Sequence[Entry], timeline: Timeline, *, asset: str, money: str) -> Iterator[TradedDay]:
    days: dict[int, TradedDay] = {}
    sales: dict[str, TradedDay] = {}
    with localcontext(WIDE):
        for entry in entries:
            came, left = _moved(entry, asset)
            if not came and not left:
                continue
            day = days.setdefault(day_of(entry), TradedDay(day_of(entry)))
            worth = stated_value(entry) or _ZERO
            if came:
                day.bought, day.paid, day.buys = day.bought + came, day.paid + worth, day.buys + 1
            else:
                day.sold, day.received, day.sells = day.sold + left, day.received + worth, day.sells + 1
                sales[entry.id] = day
        for disposal in book(entries, timeline, quote=money).disposals:
            if disposal.asset == asset and disposal.tx in sales:
                sales[disposal.tx].gain += from_scaled(disposal.gain)
    yield from (days[day] for day in sorted(days))


def _moved(entry: Entry, asset: str) -> tuple[Decimal, Decimal]:
    """Return how much was bought and how much was sold of the asset; what came as income or was moved is neither."""
    if entry.type is EntryType.TRADE:
        came = entry.in_amount if entry.in_asset == asset else None
        left = entry.out_amount if entry.out_asset == asset else None
        return came or _ZERO, left or _ZERO
    if entry.asset != asset:
        return _ZERO, _ZERO
    amount = entry.amount or _ZERO
    if entry.type is EntryType.BUY:
        return amount, _ZERO
    return _ZERO, amount if entry.type in {EntryType.SELL, EntryType.SPEND} else _ZERO
