"""The course of a ledger: the days that were lived through and kept, those that still hold, and the new ones.

A day holds while its entries and the prices of that day are the same. The first that does not, and all after it, are
lived through again, from where the ledger stood before them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson
import zstandard
from django.db import connection

from apps.markets.domain.instruments import InstrumentName
from apps.markets.queries import DailyRates, DailyWay, current_world, daily_rates, daily_stamp
from apps.portfolios.domain.history import HistoryDay, Standing, by_day
from apps.portfolios.domain.transactions import Entry
from apps.portfolios.models import Account, HistoryBlock, HistoryCourse, Portfolio
from apps.portfolios.queries.late_entries import entries_since

DAY_SECONDS: Final = 86_400
#: So many days are kept together, and lived through again together.
BLOCK_DAYS: Final = 32
#: Rises when the same ledger and the same prices would make other days.
EDITION: Final = 1
_LEVEL: Final = 3

_MARKS: Final = """
SELECT floor(extract(epoch FROM entry.at) / 86400)::int AS day,
       sum(hashtextextended(concat(
           entry.id, '|', told.value, '|', told.fee_value, '|', pair.id, '|', pair.fee_value, '|', arrival.match_id
       ), 0)::numeric)::text AS mark
FROM portfolios_transaction entry
LEFT JOIN portfolios_valuation told ON told.transaction_id = entry.id
LEFT JOIN portfolios_transfermatch pair ON pair.out_id = entry.id
LEFT JOIN portfolios_transferarrival arrival ON arrival.transaction_id = entry.id
WHERE entry.portfolio_id = %s AND entry.reversed_in_id IS NULL
GROUP BY 1
"""


class CourseMovedError(RuntimeError):
    """Kept days were replaced while they were read; reading them again finds the new ones."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days that are kept together; `marks` tell of which entries they are, `prices` at which prices of each asset.

    `standing` is where the ledger stands at their end; of days that are kept already it is read when it is needed.
    """

    first_day: int
    last_day: int
    days: tuple[HistoryDay, ...]
    marks: Mapping[int, str]
    prices: Mapping[str, str]
    row: UUID | None = None
    standing: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """All days of a ledger from its first entry to yesterday, and the stamps of what they were made from."""

    portfolio: Portfolio
    revision: int
    base: str
    ledger: str
    markets: str
    last_day: int
    assets: tuple[str, ...]
    ways: dict[str, tuple[DailyWay, ...]]
    stretches: tuple[Stretch, ...] = ()
    is_kept: bool = False

    @property
    def days(self) -> list[HistoryDay]:
        """Return the days in their order."""
        return [day for stretch in self.stretches for day in stretch.days]


def course_of(*, portfolio: Portfolio, now: datetime) -> Course:
    """Return the days of a ledger up to yesterday: those that are kept and still hold, and the others made anew."""
    yesterday = int(now.timestamp()) // DAY_SECONDS - 1
    version, currency = Portfolio.objects.values_list("version", "currency").get(pk=portfolio.pk)
    base, row = _base(portfolio, currency), HistoryCourse.objects.filter(portfolio=portfolio).first()
    kept = _Kept.of(row, base)
    if row is not None and kept.holds(version, yesterday):
        stamp = daily_stamp(assets=row.assets, target=currency, now=now)
        if row.markets == stamp:
            return kept.course(portfolio, row, stamp)
    marks, assets = _marks(portfolio), tuple(sorted(_codes(portfolio)))
    stamp = daily_stamp(assets=assets, target=currency, now=now) if assets else ""
    making = _Making(portfolio, currency, marks, dict(kept.ways), now)
    sound = making.sound(kept.stretches, yesterday, is_priced_alike=row is not None and row.markets == stamp)
    stretches = (*sound, *making.stretches(sound, yesterday))
    return Course(
        portfolio=portfolio,
        revision=0 if row is None else row.revision,
        base=base,
        ledger=str(version),
        markets=stamp,
        last_day=yesterday,
        assets=assets,
        ways=making.ways,
        stretches=stretches,
    )


def standing_at(*, course: Course, day: int, now: datetime) -> Standing:
    """Return where the ledger stood at the end of a day."""
    before = [stretch for stretch in course.stretches if stretch.last_day <= day]
    standing = _standing(before[-1]) if before else Standing()
    inside = next((one for one in course.stretches if one.first_day <= day < one.last_day), None)
    if inside is None:
        return standing
    portfolio = course.portfolio
    happened = by_day(entries_since(portfolio=portfolio, day=inside.first_day, now=now))
    playing = standing.assets | assets_of(entries=_between(happened, inside.first_day, day))
    rates = rates_of(course=course, assets=playing, first=inside.first_day, last=day)
    standing.live(happened, money=portfolio.currency, prices=rates, first_day=inside.first_day, last_day=day)
    return standing


def rates_of(*, course: Course, assets: Iterable[str], first: int, last: int) -> dict[str, DailyRates]:
    """Return the worths of assets on the days of a stretch, by the markets that they were priced by before."""
    return _rates(assets, course.portfolio.currency, first, last, course.ways)


def assets_of(*, entries: Iterable[Entry]) -> set[str]:
    """Return every asset that entries name."""
    return {
        asset for entry in entries for asset in (entry.asset, entry.in_asset, entry.out_asset, entry.fee_asset) if asset
    }


# --- What is kept -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Kept:
    """What was kept under the same money, world and names."""

    stretches: tuple[Stretch, ...] = ()
    ways: Mapping[str, tuple[DailyWay, ...]] = field(default_factory=dict)
    ledger: str = ""
    last_day: int = 0

    @classmethod
    def of(cls, row: HistoryCourse | None, base: str) -> "_Kept":
        if row is None or row.base != base:
            return cls()
        blocks = HistoryBlock.objects.filter(portfolio=row.portfolio_id).order_by("first_day")
        stretches = tuple(_unpacked(*block) for block in blocks.values_list("pk", "first_day", "last_day", "days"))
        return cls(stretches, _read_ways(row.ways), row.ledger, row.last_day)

    def holds(self, version: int, yesterday: int) -> bool:
        """Tell whether neither the ledger nor the day has changed since."""
        return self.ledger == str(version) and self.last_day == yesterday

    def course(self, portfolio: Portfolio, row: HistoryCourse, stamp: str) -> Course:
        facts = (portfolio, row.revision, row.base, row.ledger, stamp, row.last_day, tuple(row.assets), dict(self.ways))
        return Course(*facts, stretches=self.stretches, is_kept=True)


def _base(portfolio: Portfolio, currency: str) -> str:
    """Return what all days depend on: the money, the world, and what accounts are called."""
    names = sorted(Account.objects.filter(portfolio=portfolio).values_list("pk", "name"))
    facts = repr((EDITION, currency, current_world(), [(str(pk), name) for pk, name in names]))
    return hashlib.sha256(facts.encode()).hexdigest()


def _marks(portfolio: Portfolio) -> dict[int, str]:
    """Return for each day that has entries what tells them, their values and their matches from any others."""
    with connection.cursor() as cursor:
        cursor.execute(_MARKS, [portfolio.pk])
        return dict(cursor.fetchall())


def _codes(portfolio: Portfolio) -> set[str]:
    """Return the codes of all assets that a ledger names."""
    rows = portfolio.transactions.filter(reversed_in=None).order_by()
    found = rows.values_list("asset", "in_asset", "out_asset", "fee_asset").distinct()
    return {code for row in found for code in row if code}


def packed_days(*, stretch: Stretch) -> bytes:
    """Return the days of a stretch as they are kept."""
    rows = [
        [*(str(number) for number in _numbers(day)), list(day.unpriced)] if day.unpriced else [*map(str, _numbers(day))]
        for day in stretch.days
    ]
    marks = {str(day): mark for day, mark in stretch.marks.items()}
    return _packed({"days": rows, "marks": marks, "prices": dict(stretch.prices)})


def packed_standing(*, stretch: Stretch) -> bytes:
    """Return as it is kept where the ledger stands at the end of a stretch."""
    return _packed(stretch.standing)


def written_ways(*, course: Course) -> dict[str, list[list[list[str | bool]]]]:
    """Return the ways as they are kept."""
    return {
        asset: [[[str(name), inverse] for name, inverse in way] for way in ways] for asset, ways in course.ways.items()
    }


def _read_ways(kept: Mapping[str, Any]) -> dict[str, tuple[DailyWay, ...]]:
    return {
        asset: tuple(tuple((InstrumentName.parse(name), bool(inverse)) for name, inverse in way) for way in ways)
        for asset, ways in kept.items()
    }


def _numbers(day: HistoryDay) -> tuple[Decimal, ...]:
    return day.value, day.inflow, day.outflow, day.deposits, day.withdrawals


def _packed(value: object) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(orjson.dumps(value))


def _read(body: bytes | memoryview) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(zstandard.ZstdDecompressor().decompress(bytes(body)))
    return found


def _unpacked(row: UUID, first_day: int, last_day: int, body: bytes | memoryview) -> Stretch:
    found = _read(body)
    days = tuple(_day(first_day + place, told) for place, told in enumerate(found["days"]))
    marks = {int(day): mark for day, mark in found["marks"].items()}
    return Stretch(first_day, last_day, days, marks, found["prices"], row)


def _day(day: int, told: list[Any]) -> HistoryDay:
    value, inflow, outflow, deposits, withdrawals = map(Decimal, told[:5])
    return HistoryDay(day, value, inflow, outflow, deposits, withdrawals, tuple(told[5]) if told[5:] else ())


def _standing(stretch: Stretch) -> Standing:
    if stretch.standing is not None:
        return Standing.read(stretch.standing)
    rows = HistoryBlock.objects.filter(pk__in=[stretch.row] if stretch.row else [])
    body = rows.values_list("standing", flat=True).first()
    if body is None:
        raise CourseMovedError
    return Standing.read(_read(body))


# --- What is made -----------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Making:
    """Finds the days that still hold, and lives through the others."""

    portfolio: Portfolio
    currency: str
    marks: Mapping[int, str]
    ways: dict[str, tuple[DailyWay, ...]]
    now: datetime

    def sound(self, kept: Sequence[Stretch], yesterday: int, *, is_priced_alike: bool) -> tuple[Stretch, ...]:
        """Return the stretches from the beginning on that still hold."""
        if not kept or not self.marks or min(self.marks) != kept[0].first_day:
            return ()
        found: list[Stretch] = []
        for stretch in kept:
            if dict(stretch.marks) != self._marks_in(stretch.first_day, stretch.last_day):
                break
            found.append(stretch)
        if found and found[-1].last_day < yesterday and (found[-1].last_day + 1) % BLOCK_DAYS:
            found.pop()  # it grows
        return tuple(found if is_priced_alike else self._priced_alike(found))

    def _priced_alike(self, found: Sequence[Stretch]) -> Sequence[Stretch]:
        """Return those from the beginning on whose prices are still the same."""
        if not found:
            return found
        assets = {asset for stretch in found for asset in stretch.prices}
        rates = self._rates(assets, found[0].first_day, found[-1].last_day)
        changed = (place for place, one in enumerate(found) if dict(one.prices) != _digests(one, rates))
        return found[: next(changed, None)]

    def stretches(self, sound: Sequence[Stretch], yesterday: int) -> list[Stretch]:
        """Live through the days after those that hold, to yesterday."""
        if not self.marks:
            return []
        start = sound[-1].last_day + 1 if sound else min(self.marks)
        if start > yesterday:
            return []
        standing = _standing(sound[-1]) if sound else Standing()
        happened = by_day(entries_since(portfolio=self.portfolio, day=start, now=self.now))
        playing = standing.assets | assets_of(entries=_between(happened, start, yesterday))
        rates = self._rates(playing, start, yesterday)
        made = []
        while start <= yesterday:
            last = min(yesterday, (start // BLOCK_DAYS + 1) * BLOCK_DAYS - 1)
            made.append(self._stretch(standing, happened, rates, start, last))
            start = last + 1
        return made

    def _stretch(
        self,
        standing: Standing,
        happened: Mapping[int, Sequence[Entry]],
        rates: Mapping[str, DailyRates],
        first: int,
        last: int,
    ) -> Stretch:
        playing = standing.assets | assets_of(entries=_between(happened, first, last))
        days = standing.live(happened, money=self.currency, prices=rates, first_day=first, last_day=last)
        return Stretch(
            first_day=first,
            last_day=last,
            days=tuple(days),
            marks=self._marks_in(first, last),
            prices={asset: _digest(rates[asset], first, last) for asset in sorted(playing)},
            standing=standing.written(),
        )

    def _marks_in(self, first: int, last: int) -> dict[int, str]:
        return {day: self.marks[day] for day in range(first, last + 1) if day in self.marks}

    def _rates(self, assets: Iterable[str], first: int, last: int) -> dict[str, DailyRates]:
        rates = _rates(assets, self.currency, first, last, self.ways)
        for asset, one in rates.items():
            known = self.ways.get(asset, ())
            more = tuple(way for way in one.paths() if way not in known)
            if more:
                self.ways[asset] = (*known, *more)
        return rates


def _rates(
    assets: Iterable[str], target: str, first: int, last: int, ways: Mapping[str, Sequence[DailyWay]]
) -> dict[str, DailyRates]:
    wanted = sorted(set(assets))
    if not wanted or first > last:
        return {}
    start, behind = (datetime.fromtimestamp(day * DAY_SECONDS, UTC) for day in (first, last + 1))
    return daily_rates(assets=wanted, target=target, from_=start, to=behind, prefer=ways)


def _between(happened: Mapping[int, Sequence[Entry]], first: int, last: int) -> list[Entry]:
    return [entry for day, entries in happened.items() if first <= day <= last for entry in entries]


def _digests(stretch: Stretch, rates: Mapping[str, DailyRates]) -> dict[str, str]:
    return {
        asset: _digest(rates[asset], stretch.first_day, stretch.last_day) for asset in stretch.prices if asset in rates
    }


def _digest(rates: DailyRates, first: int, last: int) -> str:
    return hashlib.blake2b(rates.near(first, last).tobytes(), digest_size=8).hexdigest()
