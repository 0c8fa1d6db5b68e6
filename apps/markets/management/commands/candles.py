"""`./coinsphere manage candles import PLACE` and `export FOLDER`: candle files in and out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.core.api.times import TimeError, milliseconds, parse_time
from apps.core.errors import ProductError
from apps.markets import actions, queries
from apps.markets.domain.instruments import InstrumentNameError
from apps.markets.domain.timeframes import Timeframe

_COLUMNS = ("file", "rows", "new", "revised", "same", "refused", "missing")


class Command(BaseCommand):
    """Imports and exports candles."""

    help = "Import candle files (binance_spot/BTCUSDT-1h.csv.gz) into this world, or export what is stored."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        taking = verbs.add_parser("import", help="read candle files and report every fault")
        taking.add_argument("place", type=Path, help="a file, or a folder with candle files below it")
        taking.add_argument("--dry-run", action="store_true", help="only say what would be found")
        taking.add_argument("--json", action="store_true", help="print the whole report as JSON")
        giving = verbs.add_parser("export", help="write stored candles as files")
        giving.add_argument("folder", type=Path, help="where to write; made if it does not exist")
        giving.add_argument("--instrument", help="only this one, such as binance:BTC/USDT")
        giving.add_argument("--timeframe", choices=[one.value for one in Timeframe], help="only this one")
        giving.add_argument("--from", dest="from_", help="ISO-8601 time or milliseconds")
        giving.add_argument("--to", help="ISO-8601 time or milliseconds; not included")
        giving.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        verb: Callable[..., None] = self._import if options["verb"] == "import" else self._export
        try:
            verb(**options)
        except ProductError as error:
            raise CommandError(error.detail) from error
        except (InstrumentNameError, TimeError, OSError) as error:
            raise CommandError(str(error)) from error

    # --- In -----------------------------------------------------------------------------------------------------------
    def _import(self, *, place: Path, dry_run: bool, json: bool, **_options: object) -> None:
        if not place.exists():
            raise CommandError(f"{place} does not exist.")
        self.stderr.write(f"Into the {queries.current_world()} world.")
        mode = actions.Mode.DRY_RUN if dry_run else actions.Mode.STORE
        report = actions.import_candles(path=place, mode=mode, now=clock.now(), tell=self._say_file)
        if json:
            self._print_json({"dry_run": dry_run, "files": [one.as_dict() for one in report.files]})
        else:
            self._print_report(report)
        if any(one.problem for one in report.files):
            raise CommandError("Some files could not be read; the report says which.")

    def _say_file(self, done: actions.FileReport) -> None:
        outcome = done.problem or f"{done.rows} rows, {done.stored.new} new, {len(done.faults)} faults"
        self.stderr.write(f"{done.file}: {outcome}")

    def _print_report(self, report: actions.ImportReport) -> None:
        rows = [one.as_dict() for one in report.files]
        rows.append({name: report.total(name) for name in _COLUMNS[1:]} | {"file": "together"})
        width = max(len(str(row["file"])) for row in rows)
        self.stdout.write("  ".join([f"{'file':<{width}}", *(f"{name:>9}" for name in _COLUMNS[1:])]))
        for row in rows:
            figures = (f"{row[name]:>9}" for name in _COLUMNS[1:])
            self.stdout.write("  ".join([f"{row['file']:<{width}}", *figures]))
        for one in report.files:
            for fault in one.faults:
                what = "refused" if fault.refused else "put right"
                many = f" ({fault.count} times)" if fault.count > 1 else ""
                self.stdout.write(f"{one.file}:{fault.line}: {fault.code}, {what}{many}")
            if one.problem:
                self.stdout.write(f"{one.file}: {one.problem}")

    # --- Out ----------------------------------------------------------------------------------------------------------
    def _export(self, *, folder: Path, json: bool, **options: Any) -> None:  # noqa: ANN401 - as they were typed
        selection = actions.Selection(
            instrument=options["instrument"],
            timeframe=Timeframe(options["timeframe"]) if options["timeframe"] else None,
            from_ms=_moment(options["from_"]),
            to_ms=_moment(options["to"]),
        )
        written = actions.export_candles(folder=folder, selection=selection, tell=self._say_written)
        if not written:
            raise CommandError("There are no such candles. Nothing was written.")
        if json:
            self._print_json({"folder": str(folder), "files": written})
        else:
            self.stdout.write("\n".join(f"{folder / name}  {count}" for name, count in written.items()))

    def _say_written(self, name: str, count: int) -> None:
        self.stderr.write(f"{name}: {count} candles")

    def _print_json(self, result: object) -> None:
        self.stdout.write(json.dumps(result, indent=2))


def _moment(text: str | None) -> int | None:
    return None if text is None else milliseconds(parse_time(text))
