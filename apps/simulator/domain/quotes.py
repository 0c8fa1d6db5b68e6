"""One market at the present moment: its ticker, its growing candle, its trades and its history, from whole steps."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from apps.simulator.domain import seeds
from apps.simulator.domain.happenings import BEGIN_MS
from apps.simulator.domain.series import Bar, Bars, Trades, trades
from apps.simulator.domain.shapes import DAY_MS, MINUTE_MS, Candle, Market, PublicTrade, Ticker, plain

_DAY_MINUTES = 1440
_WEEK_MS = 7 * DAY_MS
_MONDAY_MS = 4 * DAY_MS
_IDS_A_MINUTE = 4096
_SPREAD = 20_000


class Series(Protocol):
    """Where a market's bars come from: made up, or played from files."""

    def __hash__(self) -> int:
        """Be the same only as itself."""

    def days(self, last_day: int) -> Bars:
        """Return every day up to and with one, row 0 being the first day of the world."""

    def minutes(self, day: int) -> Bars:
        """Return the 1440 minutes of a day."""


@dataclass(slots=True)
class _Minute:
    """A minute under way: its trades, and the 1439 minutes before it in one."""

    index: int
    begin: int
    trades: Trades
    bar: Bar
    before: Bar
    open_day: int
    shown: int = -2
    ticker: Ticker | None = None

    def count_at(self, now_ms: int) -> int:
        """Return how many of its trades have happened."""
        return bisect_right(self.trades.at, now_ms - self.begin)


_NO_TRADES = Trades([], [], [], [], [], [], [])


@lru_cache(maxsize=192)
def _past_minutes(series: Series, day: int) -> Bars:
    """Return a day that is looked at more than once, but is not one of the two that every ticker needs."""
    return series.minutes(day)


class Quotes:
    """Everything a venue says about one market."""

    def __init__(self, seed: int, market: Market, series: Series, trades_per_minute: int) -> None:
        self.market = market
        self._seed, self._series, self._count = seed, series, trades_per_minute
        self._hot: dict[int, Bars] = {}
        self._minutes: dict[int, _Minute] = {}
        self._made = lru_cache(maxsize=64)(self._make_trades)

    # --- the present -----------------------------------------------------------------------------------------------
    def ticker(self, now_ms: int) -> Ticker:
        """Return the ticker; the same object until the next trade."""
        minute = self._minute((now_ms - BEGIN_MS) // MINUTE_MS)
        index = minute.count_at(now_ms) - 1
        if minute.ticker is None or minute.shown != index:
            minute.ticker, minute.shown = self._ticker(minute, index), index
        return minute.ticker

    def last(self, now_ms: int) -> int:
        """Return the price of the last trade in steps."""
        minute = self._minute((now_ms - BEGIN_MS) // MINUTE_MS)
        count = minute.count_at(now_ms)
        return minute.trades.price[count - 1] if count else minute.before.close

    def moved(self, since_ms: int, now_ms: int) -> bool:
        """Return whether something was traded after `since` and up to now; a minute not ready yet is quiet."""
        minute = self._minutes.get((now_ms - BEGIN_MS) // MINUTE_MS)
        return minute is not None and minute.count_at(now_ms) > max(minute.count_at(since_ms), 0)

    def prepare(self, index: int) -> bool:
        """Make a minute ready; return whether there was something to do."""
        if index in self._minutes:
            return False
        self._minute(index)
        return True

    def _minute(self, index: int) -> _Minute:
        minute = self._minutes.get(index)
        if minute is None:
            minute = self._begin_minute(index)
            self._minutes[index] = minute
            for old in [key for key in self._minutes if key < index - 1]:
                del self._minutes[old]
        return minute

    def _begin_minute(self, index: int) -> _Minute:
        day, row = divmod(index, _DAY_MINUTES)
        today, yesterday = self._hot_day(day), self._hot_day(day - 1)
        bar = today.bar(row)
        parts = (yesterday.cut(row + 1, _DAY_MINUTES), today.cut(0, row))
        known = [part for part in (part.whole() for part in parts) if part]
        before = _joined(known) if known else self._standing(day)
        present = bool(today.present[row])
        made = self._made(index) if present else _NO_TRADES
        open_day = int(today.open[0]) if today.present[0] else before.open
        return _Minute(index, BEGIN_MS + index * MINUTE_MS, made, bar, before, open_day)

    def _hot_day(self, day: int) -> Bars:
        bars = self._hot.get(day)
        if bars is None:
            bars = self._hot[day] = self._series.minutes(day)
            for old in [key for key in self._hot if key < max(self._hot) - 1]:
                del self._hot[old]
        return bars

    def _standing(self, day: int) -> Bar:
        """Return the last known price of a market that has not traded for a day."""
        days = self._series.days(day)
        known = np.flatnonzero(days.present)
        price = days.bar(int(known[-1])).close if len(known) else int(days.open[-1])
        return Bar(price, price, price, price, 0, 0)

    def _make_trades(self, index: int) -> Trades:
        day, row = divmod(index, _DAY_MINUTES)
        bars = self._hot[day] if day in self._hot else _past_minutes(self._series, day)
        if not bars.present[row]:
            return _NO_TRADES
        source = seeds.generator(self._seed, self.market.venue, self.market.symbol, "minute", index)
        return trades(source, bars.bar(row), self._count)

    def _partial(self, minute: _Minute, count: int) -> Bar:
        """Return the growing candle of a minute after some of its trades."""
        made = minute.trades
        volume = made.volume[count - 1]
        quote = minute.bar.quote * volume // minute.bar.volume if minute.bar.volume else 0
        return Bar(made.price[0], made.highest[count - 1], made.lowest[count - 1], made.price[count - 1], volume, quote)

    def _ticker(self, minute: _Minute, index: int) -> Ticker:
        before = minute.before
        if index < 0:
            day, last, amount, bought, at = before, before.close, 0, False, minute.begin
            number = minute.index * _IDS_A_MINUTE
        else:
            part = self._partial(minute, index + 1)
            day = _joined([before, part]) if before.volume or before.quote else part
            made = minute.trades
            last, amount, bought, at = part.close, made.amount[index], made.bought[index], minute.begin + made.at[index]
            number = minute.index * _IDS_A_MINUTE + index
        return self._written(day, (last, amount, bought), (at, number), minute)

    def _written(self, day: Bar, trade: tuple[int, int, bool], mark: tuple[int, int], minute: _Minute) -> Ticker:
        last, amount, bought = trade
        prices, amounts = self.market.price_digits, self.market.amount_digits
        spread = max(last // _SPREAD, 1)
        bid, ask = (last - spread, last) if bought else (last, last + spread)
        change = last - day.open
        average = day.quote // day.volume if day.volume else last
        return Ticker(
            symbol=self.market.symbol,
            ts=mark[0],
            last=plain(last, prices),
            last_amount=plain(amount, amounts),
            last_id=mark[1],
            side="buy" if bought else "sell",
            bid=plain(max(bid, 1), prices),
            bid_amount=plain(amount * 3 + 1, amounts),
            ask=plain(ask, prices),
            ask_amount=plain(amount * 2 + 1, amounts),
            open=plain(day.open, prices),
            high=plain(day.high, prices),
            low=plain(day.low, prices),
            volume=plain(day.volume, amounts),
            quote_volume=plain(day.quote, prices + amounts),
            change=plain(change, prices),
            change_fraction=plain(round(change * 10**8 / day.open), 8),
            average=plain(average, prices),
            trades=self._count * _DAY_MINUTES,
            open_day=plain(minute.open_day, prices),
        )

    # --- the past --------------------------------------------------------------------------------------------------
    def bars(self, timeframe_ms: int, from_ms: int, to_ms: int, now_ms: int, limit: int) -> tuple[list[int], Bars]:
        """Return open times and bars in [from, to), the growing one included, at most `limit`, oldest first."""
        to_ms = min(to_ms, now_ms + 1)
        if timeframe_ms >= DAY_MS:
            return self._days(timeframe_ms, from_ms, to_ms, now_ms, limit)
        size = timeframe_ms // MINUTE_MS
        first = max(-(-(from_ms - BEGIN_MS) // timeframe_ms) * timeframe_ms, 0)
        last = -(-(to_ms - BEGIN_MS) // timeframe_ms) * timeframe_ms
        times: list[int] = []
        parts: list[Bars] = []
        for day in range(first // DAY_MS, -(-last // DAY_MS)):
            bars = self._day_until(day, now_ms).grouped(size)
            begin = (max(first - day * DAY_MS, 0)) // timeframe_ms
            end = min((last - day * DAY_MS) // timeframe_ms, len(bars))
            rows = begin + np.flatnonzero(bars.present[begin:end])
            times += (BEGIN_MS + day * DAY_MS + rows * timeframe_ms).tolist()
            parts.append(bars.taken(rows))
            if len(times) >= limit:
                break
        return times[:limit], Bars.joined(parts).cut(0, limit)

    def _day_until(self, day: int, now_ms: int) -> Bars:
        """Return the minutes of a day as far as they are over, and the growing one."""
        index = (now_ms - BEGIN_MS) // MINUTE_MS
        bars = self._hot[day] if day in self._hot else _past_minutes(self._series, day)
        if day < index // _DAY_MINUTES:
            return bars
        row = index % _DAY_MINUTES
        minute = self._minute(index)
        bars = bars.cut(0, _DAY_MINUTES).copied()
        bars.present[row + 1 :] = False
        count = minute.count_at(now_ms)
        if count:
            bars.put(row, self._partial(minute, count))
        return bars

    def _days(self, timeframe_ms: int, from_ms: int, to_ms: int, now_ms: int, limit: int) -> tuple[list[int], Bars]:
        today = (now_ms - BEGIN_MS) // DAY_MS
        days = self._series.days(today).copied()
        whole = self._day_until(today, now_ms).whole()
        days.present[today] = whole is not None
        if whole:
            days.put(today, whole)
        size = timeframe_ms // DAY_MS
        anchor = _MONDAY_MS if timeframe_ms == _WEEK_MS else 0
        begin = (BEGIN_MS - anchor) // timeframe_ms * timeframe_ms + anchor
        lead = (BEGIN_MS - begin) // DAY_MS
        days = days.padded(lead, -(lead + today + 1) % size).grouped(size)
        first = max(-(-(from_ms - begin) // timeframe_ms), 0)
        last = max(-(-(to_ms - begin) // timeframe_ms), 0)
        rows = first + np.flatnonzero(days.present[first:last])[:limit]
        return (begin + rows * timeframe_ms).tolist(), days.taken(rows)

    def candles(self, timeframe_ms: int, from_ms: int, to_ms: int, now_ms: int, limit: int) -> list[Candle]:
        """Return the same as text."""
        times, bars = self.bars(timeframe_ms, from_ms, to_ms, now_ms, limit)
        prices, amounts = self.market.price_digits, self.market.amount_digits
        count = self._count * timeframe_ms // MINUTE_MS
        return [
            Candle(
                ts,
                plain(start, prices),
                plain(high, prices),
                plain(low, prices),
                plain(end, prices),
                plain(volume, amounts),
                plain(quote, prices + amounts),
                count,
            )
            for ts, start, high, low, end, volume, quote in zip(times, *bars.table.tolist(), strict=True)
        ]

    def public_trades(self, from_ms: int, now_ms: int, limit: int) -> list[PublicTrade]:
        """Return trades since `from`, oldest first."""
        found: list[PublicTrade] = []
        prices, amounts = self.market.price_digits, self.market.amount_digits
        for index in range((from_ms - BEGIN_MS) // MINUTE_MS, (now_ms - BEGIN_MS) // MINUTE_MS + 1):
            begin, made = BEGIN_MS + index * MINUTE_MS, self._made(index)
            found += [
                PublicTrade(
                    index * _IDS_A_MINUTE + row,
                    begin + at,
                    plain(made.price[row], prices),
                    plain(made.amount[row], amounts),
                    "buy" if made.bought[row] else "sell",
                )
                for row, at in enumerate(made.at)
                if from_ms <= begin + at <= now_ms and made.amount[row]
            ]
            if len(found) >= limit:
                break
        return found[:limit]

    def price_at(self, moment_ms: int) -> int:
        """Return a price in steps that was paid in a minute of the past: its open, or the last one known."""
        day, row = divmod((moment_ms - BEGIN_MS) // MINUTE_MS, _DAY_MINUTES)
        bars = self._hot[day] if day in self._hot else _past_minutes(self._series, day)
        return int(bars.open[row]) if bars.present[row] else self._standing(day).close


def _joined(parts: list[Bar]) -> Bar:
    return Bar(
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(part.volume for part in parts),
        sum(part.quote for part in parts),
    )
