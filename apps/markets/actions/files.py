"""Candle files in and out: each fault named with file and line, nothing wrong stored, a repeat changes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from apps.core.errors import InvalidError
from apps.markets.actions.candles import NOTHING, Stored
from apps.markets.actions.quarantine import inspect_candles, take_in
from apps.markets.domain import candle_files
from apps.markets.domain.assets import facts_of
from apps.markets.domain.candle_files import CandleFileError, FileSubject, Parsed
from apps.markets.domain.candles import Candles, Floats, Gap
from apps.markets.domain.gate import Passed
from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import Asset, CandleSeries, CandleSource, Instrument
from apps.markets.models.catalogue import world_is_simulated
from apps.markets.queries.stored_candles import read_series

FILE_SIGNS: Final = ("*.csv", "*.csv.gz")
_ORDER: Final = list(Timeframe)
_MOST_DIGITS: Final = 8


class NoCandleFilesError(InvalidError):
    """There is nothing to import."""

    code = "no_candle_files"
    default_detail = "There are no files named like binance_spot/BTCUSDT-1h.csv.gz in this place."


class Mode(StrEnum):
    """Whether an import stores what it reads or only says what it would find."""

    STORE = "store"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class LineFault:
    """A fault of one line."""

    line: int
    code: str
    ts: int
    count: int
    refused: bool


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file."""

    file: str
    instrument: str = ""
    timeframe: str = ""
    rows: int = 0
    stored: Stored = NOTHING
    faults: tuple[LineFault, ...] = ()
    gaps: tuple[Gap, ...] = ()
    missing: int = 0
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "file": self.file,
            "instrument": self.instrument,
            "timeframe": self.timeframe,
            "rows": self.rows,
            "new": self.stored.new,
            "revised": self.stored.revised,
            "same": self.stored.same + self.stored.confirmed,
            "refused": sum(one.count for one in self.faults if one.refused),
            "faults": [
                {"line": one.line, "code": one.code, "ts": one.ts, "count": one.count, "refused": one.refused}
                for one in self.faults
            ],
            "gaps": [{"from": gap.from_ms, "to": gap.to_ms} for gap in self.gaps],
            "missing": self.missing,
            "problem": self.problem,
        }


@dataclass(slots=True)
class ImportReport:
    """What became of all files."""

    files: list[FileReport] = field(default_factory=list)

    def total(self, name: str) -> int:
        """Return one figure over all files."""
        return sum(int(one.as_dict()[name]) for one in self.files)


def import_candles(
    *, path: Path, mode: Mode, now: datetime, tell: Callable[[FileReport], None] | None = None
) -> ImportReport:
    """Read a file, or all candle files below a folder, into this world; finer ones first, to check coarser ones by."""
    report = ImportReport()
    for one in _files(path):
        done = _import_file(one, mode, now)
        report.files.append(done)
        if tell is not None:
            tell(done)
    return report


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = {file for sign in FILE_SIGNS for file in path.rglob(sign)}
    if not found:
        raise NoCandleFilesError
    return sorted(found, key=lambda file: (_rank(file), str(file)))


def _rank(file: Path) -> int:
    return next((place for place, frame in enumerate(_ORDER) if f"-{frame}" in file.name), len(_ORDER))


def _import_file(file: Path, mode: Mode, now: datetime) -> FileReport:
    try:
        subject = candle_files.subject_of(file.parent.name, file.name)
        parsed = candle_files.parse(candle_files.unpacked(file.read_bytes()))
    except (CandleFileError, OSError) as problem:
        return FileReport(file=str(file), problem=str(problem))
    table, name = parsed.table, f"{file.parent.name}/{file.name}"
    if mode == Mode.DRY_RUN:
        known = Instrument.objects.here().named(subject.instrument).first()
        passed = inspect_candles(instrument=known, timeframe=subject.timeframe, table=table, now=now, check_finer="yes")
        return _report(file, subject, parsed, NOTHING, passed)
    with transaction.atomic():
        done = take_in(
            instrument=instrument_for(name=subject.instrument, table=table, now=now),
            timeframe=subject.timeframe,
            table=table,
            source=CandleSource.IMPORTED,
            now=now,
            origins=_Origins(name, parsed.lines),
        )
    return _report(file, subject, parsed, done.stored, done.passed)


class _Origins(Sequence[str]):
    """Says where a row stood, without writing it down for each of a hundred thousand."""

    def __init__(self, name: str, lines: Sequence[int]) -> None:
        self._name, self._lines = name, lines

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - a slice is never asked for
        return f"{self._name}:{self._lines[place]}"


def _report(file: Path, subject: FileSubject, parsed: Parsed, stored: Stored, passed: Passed) -> FileReport:
    listed = [
        LineFault(parsed.lines[one.place], one.code.value, one.ts, one.count, refused=one.is_refused)
        for one in passed.faults
    ]
    holes = passed.holes(subject.timeframe)
    return FileReport(
        file=str(file),
        instrument=str(subject.instrument),
        timeframe=subject.timeframe.value,
        rows=len(parsed.table),
        stored=stored,
        faults=tuple(listed),
        gaps=tuple(holes),
        missing=sum(gap.count(subject.timeframe) for gap in holes),
    )


def instrument_for(*, name: InstrumentName, table: Floats, now: datetime) -> Instrument:
    """Return the instrument of this world, made as a pair that is no longer traded if nobody knows it."""
    known = Instrument.objects.here().named(name).first()
    if known is not None:
        return known
    last = float(table[:, 0].max(initial=0.0)) / 1000
    seen = datetime.fromtimestamp(last, UTC) if 0 < last < now.timestamp() else now
    assets = {symbol: _asset(symbol) for symbol in (name.base, name.quote)}
    row, _made = Instrument.objects.get_or_create(
        simulated=world_is_simulated(),
        venue=name.venue,
        symbol=name.symbol,
        defaults={
            "venue_symbol": f"{name.base}{name.quote}",
            "base": assets[name.base],
            "quote": assets[name.quote],
            "price_digits": _MOST_DIGITS,
            "amount_digits": _MOST_DIGITS,
            "active": False,
            "first_seen_at": seen,
            "last_seen_at": seen,
            "vanished_at": seen,
        },
    )
    return row


def _asset(symbol: str) -> Asset:
    facts = facts_of(symbol)
    values = {"name": facts.name, "kind": facts.kind, "peg": facts.peg, "digits": facts.digits, "is_active": False}
    return Asset.objects.get_or_create(symbol=symbol, defaults=values)[0]


# --- Out --------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be exported; None means all."""

    instrument: str | None = None
    timeframe: Timeframe | None = None
    from_ms: int | None = None
    to_ms: int | None = None


def export_candles(
    *, folder: Path, selection: Selection, tell: Callable[[str, int], None] | None = None
) -> dict[str, int]:
    """Write series of this world as files that `import_candles` reads back; return how many candles each holds."""
    rows = CandleSeries.objects.here().filter(count__gt=0).select_related("instrument")
    if selection.instrument is not None:
        name = InstrumentName.parse(selection.instrument)
        rows = rows.filter(instrument__venue=name.venue, instrument__symbol=name.symbol)
    if selection.timeframe is not None:
        rows = rows.filter(timeframe=selection.timeframe)
    written: dict[str, int] = {}
    for series in rows.order_by("instrument__venue", "instrument__symbol", "timeframe"):
        found: Candles = read_series(series=series, from_ms=selection.from_ms, to_ms=selection.to_ms)
        if not len(found):
            continue
        file = candle_files.file_name(FileSubject(series.instrument.name, series.frame))
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(candle_files.written(found))
        written[file] = len(found)
        if tell is not None:
            tell(file, len(found))
    return written
