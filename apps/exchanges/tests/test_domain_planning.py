"""Planning and coverage: what is read when and how far back, and how complete the result is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.exchanges.domain.coverage import CoverageState, StreamCoverage, overall, share_done, share_read, time_left
from apps.exchanges.domain.planning import (
    INTERVAL,
    LONGEST_WAIT,
    QUIET_FOR,
    SPREAD,
    Known,
    Reading,
    in_turn,
    is_due,
    late_ms,
    next_reading,
    next_run,
)
from apps.exchanges.domain.reading import Stream, StreamKey

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOW_MS = int(NOW.timestamp()) * 1000
BTC = StreamKey(stream=Stream.TRADES, symbol="BTC/USDT")


def test_the_first_pass_reads_everything_and_an_open_one_goes_on() -> None:
    everything = Reading(cursor=None, since_ms=0, until_ms=NOW_MS)
    assert next_reading(stream=Stream.TRADES, known=None, now_ms=NOW_MS) == everything
    assert next_reading(stream=Stream.TRADES, known=Known(), now_ms=NOW_MS) == everything
    known = Known(cursor={"id": 7}, since_ms=5, until_ms=9, is_open=True, covered_to_ms=3)
    assert next_reading(stream=Stream.TRADES, known=known, now_ms=NOW_MS) == Reading(
        cursor={"id": 7}, since_ms=5, until_ms=9
    )


@pytest.mark.parametrize("stream", list(Stream))
def test_every_stream_is_read_with_an_overlap(stream: Stream) -> None:
    reading = next_reading(stream=stream, known=Known(covered_to_ms=NOW_MS - 1000), now_ms=NOW_MS)
    assert reading == Reading(cursor=None, since_ms=NOW_MS - 1000 - late_ms(stream), until_ms=NOW_MS)
    assert late_ms(stream) >= 3_600_000


def test_a_clock_that_was_ahead_does_no_harm() -> None:
    reading = next_reading(stream=Stream.TRADES, known=Known(covered_to_ms=NOW_MS + 10**9), now_ms=NOW_MS)
    assert (reading.since_ms, reading.until_ms) == (NOW_MS - late_ms(Stream.TRADES), NOW_MS)
    assert next_reading(stream=Stream.TRADES, known=Known(covered_to_ms=5), now_ms=9).since_ms == 0


def test_what_brings_coins_is_read_before_what_trades_them() -> None:
    keys = [BTC, StreamKey(stream=Stream.LEDGER), StreamKey(stream=Stream.DEPOSITS)]
    assert [key.stream for key in in_turn(keys)] == [Stream.DEPOSITS, Stream.LEDGER, Stream.TRADES]


@pytest.mark.parametrize(
    ("known", "moved", "due"),
    [
        (None, (), True),
        (Known(covered_to_ms=1, read_at=NOW), None, True),
        (Known(covered_to_ms=1, read_at=NOW), (), False),
        (Known(covered_to_ms=1, read_at=NOW), ("ETH",), False),
        (Known(covered_to_ms=1, read_at=NOW), ("USDT",), True),
        (Known(covered_to_ms=1, read_at=NOW, is_open=True), (), True),
        (Known(covered_to_ms=None, read_at=NOW), (), True),
        (Known(covered_to_ms=1, read_at=None), (), True),
        (Known(covered_to_ms=1, read_at=NOW - QUIET_FOR), (), True),
        (Known(covered_to_ms=1, read_at=NOW + timedelta(hours=1)), (), True),
    ],
)
def test_a_pair_whose_coins_stand_still_is_not_asked_for(
    known: Known | None, moved: tuple[str, ...] | None, due: bool
) -> None:
    assert is_due(key=BTC, known=known, moved=moved, now=NOW) is due


def test_what_is_not_of_one_pair_is_always_asked_for() -> None:
    known = Known(covered_to_ms=1, read_at=NOW)
    for stream in (Stream.DEPOSITS, Stream.LEDGER):
        assert is_due(key=StreamKey(stream=stream, symbol="BTC"), known=known, moved=(), now=NOW)
    assert is_due(key=StreamKey(stream=Stream.TRADES), known=known, moved=(), now=NOW)


def test_connections_are_spread_and_wait_longer_while_they_fail() -> None:
    waits = {next_run(connection=str(number), after=NOW) - NOW for number in range(50)}
    assert len(waits) == 50
    assert all(INTERVAL - SPREAD <= wait <= INTERVAL + SPREAD for wait in waits)
    assert next_run(connection="a", after=NOW, failures=3) - NOW > 3 * INTERVAL
    assert next_run(connection="a", after=NOW, failures=99) - NOW <= LONGEST_WAIT + SPREAD


def test_a_history_that_files_have_begun_is_read_from_a_little_before_the_seam() -> None:
    reading = next_reading(stream=Stream.TRADES, known=None, now_ms=NOW_MS, begin_ms=NOW_MS - 10**9)
    assert reading.since_ms == NOW_MS - 10**9 - late_ms(Stream.TRADES)


def _stream(state: CoverageState) -> StreamCoverage:
    return StreamCoverage(stream="trades", symbol="", from_at=None, to_at=None, state=state)


def test_a_connection_is_as_complete_as_its_least_complete_stream() -> None:
    complete, partial, running = map(_stream, CoverageState)
    assert overall([]) == CoverageState.RUNNING
    assert overall([complete, complete]) == CoverageState.COMPLETE
    assert overall([complete, partial]) == CoverageState.PARTIAL
    assert overall([partial, running, complete]) == CoverageState.RUNNING


def test_progress_never_says_done_before_the_end() -> None:
    assert share_read(since_ms=0, until_ms=100, reached_ms=25) == Decimal("0.25")
    assert share_read(since_ms=100, until_ms=100, reached_ms=0) == 1
    assert share_read(since_ms=0, until_ms=100, reached_ms=200) == 1
    assert share_done(done=0, total=0, current=Decimal(0)) == 0
    assert share_done(done=1, total=4, current=Decimal("0.5")) == Decimal("0.3750")
    assert share_done(done=4, total=4, current=Decimal(1)) == Decimal("0.99")


def test_the_time_left_is_told_only_when_it_is_known() -> None:
    later = NOW + timedelta(seconds=60)
    assert time_left(share=Decimal("0.25"), begun_at=NOW, now=later) == timedelta(seconds=180)
    assert time_left(share=Decimal("0.01"), begun_at=NOW, now=later) is None
    assert time_left(share=Decimal("0.5"), begun_at=NOW, now=NOW + timedelta(seconds=1)) is None
    assert time_left(share=Decimal(1), begun_at=NOW, now=later) is None
