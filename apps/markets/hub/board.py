"""All tapes of all venues, and what is to be told of them at each flush; pure but for the clock it is given."""

from collections.abc import Iterable, Mapping, Sequence

from apps.markets.domain.instruments import VENUES
from apps.markets.domain.preference import source_for
from apps.markets.domain.prices import OpenCandle, Price, plain
from apps.markets.domain.tape import Line, Tape, VenueClock
from apps.markets.gateways.streams import Details

_DIGITS = 10


class Board:
    """The newest of everything."""

    def __init__(self) -> None:
        self.tapes: dict[str, Tape] = {}
        self.lines: list[Line] = []
        self.clocks = {venue: VenueClock() for venue in VENUES}
        self.readers: dict[str, type] = {}
        self._pairs: dict[str, list[Tape]] = {}
        self._day: dict[str, tuple[str | None, str | None]] = {}
        self._moved: set[str] = set()
        self._messages: dict[int, int] = {}

    # --- What is on it ------------------------------------------------------------------------------------------------
    def add(self, tapes: Iterable[Tape]) -> None:
        """Put tapes on the board."""
        for tape in tapes:
            self.tapes[tape.instrument] = tape
            pair = self._pairs.setdefault(tape.symbol, [])
            pair.append(tape)
            pair.sort(key=lambda one: VENUES.index(one.line.venue))

    def drop(self, tapes: Iterable[Tape]) -> None:
        """Take tapes off the board."""
        for tape in tapes:
            self.tapes.pop(tape.instrument, None)
            self._pairs[tape.symbol].remove(tape)
            self._day.pop(tape.instrument, None)
            self._moved.discard(tape.instrument)

    def learn_days(self, days: Mapping[str, tuple[str | None, str | None]]) -> None:
        """Learn change and volume of the last day, for instruments whose stream does not tell them."""
        self._day |= days

    # --- Prices -------------------------------------------------------------------------------------------------------
    def collect(self, *, now_ms: int, at: float) -> list[Price]:
        """Return the prices that have changed since the last time, newest per instrument."""
        switched = self._judge(now_ms=now_ms, at=at)
        prices: dict[str, Price] = {}
        for line in self.lines:
            changed, line.changed = line.changed, []
            for tape in changed:
                tape.settle()
                self._note(tape)
                for follower in self._followers(tape):
                    self._tell(prices, follower, tape, now_ms)
        for tape in switched:
            self._tell(prices, tape, self._source(tape), now_ms)
        return list(prices.values())

    def everything(self, *, now_ms: int) -> list[Price]:
        """Return the newest price of every instrument that has one."""
        prices: dict[str, Price] = {}
        for tape in self.tapes.values():
            self._tell(prices, tape, self._source(tape), now_ms)
        return list(prices.values())

    def _judge(self, *, now_ms: int, at: float) -> list[Tape]:
        """Hear each line, set its clock, and return the tapes whose source may be another one from now on."""
        switched: set[Line] = set()
        for line in self.lines:
            if self._messages.get(id(line), 0) != line.messages:
                self._messages[id(line)] = line.messages
                line.hearing.heard(at)
            if line.hearing.judge(at):
                switched.add(line)
            clock = self.clocks[line.venue]
            if line.newest_future:
                clock.saw_future(line.newest_future, now_ms=now_ms, at=at)
                line.newest_future = 0
            if line.changed:
                clock.saw(line.changed[-1].ts, now_ms=now_ms)
            line.clock(true_now=clock.true_now(now_ms), skew=clock.skew)
        return [tape for tape in self.tapes.values() if tape.line in switched] if switched else []

    def _source(self, tape: Tape) -> Tape:
        return source_for(tape, self._pairs.get(tape.symbol, ()))

    def _followers(self, tape: Tape) -> Sequence[Tape]:
        """Return the instruments whose price this tape gives: its own, and those of silent venues."""
        pair = self._pairs.get(tape.symbol, ())
        if len(pair) == 1 or all(one.is_usable for one in pair):
            return (tape,)
        return [one for one in pair if self._source(one) is tape]

    def _tell(self, prices: dict[str, Price], tape: Tape, source: Tape, now_ms: int) -> None:
        text = plain(source.text) if source.text != "" else None
        if text is None or tape.instrument not in self.tapes:
            return
        details = self._details(source)
        change = None if details.change is None else plain(round(details.change, 6))
        volume = None if details.quote_volume is None else plain(float(f"{details.quote_volume:.{_DIGITS}g}"))
        if details == Details():
            change, volume = self._day.get(source.instrument, (None, None))
        venue = source.line.venue
        ts = min(now_ms, self.clocks[venue].ours(source.ts))
        prices[tape.instrument] = Price(tape.instrument, text, change, volume, ts, venue)

    def _details(self, tape: Tape) -> Details:
        reader = self.readers[tape.line.venue]
        found: Details = reader.details(tape.raw, tape.value)  # type: ignore[attr-defined]  # a TickerStream
        return found

    # --- Minutes ------------------------------------------------------------------------------------------------------
    def _note(self, tape: Tape) -> None:
        self._moved.add(tape.instrument)
        base = self._details(tape).base_volume
        if base is not None:
            tape.builder.add_day_volume(base)

    def open_candles(self) -> dict[str, OpenCandle]:
        """Return the unfinished minutes that have moved since the last time."""
        moved, self._moved = self._moved, set()
        tapes = (self.tapes[name] for name in moved if name in self.tapes)
        return {tape.instrument: tape.builder.candle() for tape in tapes if tape.builder.is_open}

    def finished(self, *, now_ms: int) -> list[tuple[str, OpenCandle]]:
        """Return the minutes that have ended since the last time, their times on the venue's clock."""
        over: list[tuple[str, OpenCandle]] = []
        for line in self.lines:
            ended, line.ended = line.ended, []
            over += [(tape.instrument, candle) for tape, candle in ended]
        for tape in self.tapes.values():
            candle = tape.builder.finish_if_over(at=self.clocks[tape.line.venue].true_now(now_ms))
            if candle is not None:
                over.append((tape.instrument, candle))
        return over
