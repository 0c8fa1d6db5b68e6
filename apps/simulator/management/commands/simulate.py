"""Run four exchanges in miniature: real wire formats, seeded prices, accounts with known truth. Needs no services."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.simulator.domain.shapes import StartError
from apps.simulator.hub import Wishes, run

_PORTS = "18101,18102,18103,18104"


class Command(BaseCommand):
    """Checks the wishes and runs the loop."""

    help = "Run four exchanges in miniature (binance, coinbase, kraken, kucoin), one port each, until stopped."
    requires_system_checks: list[str] = []
    stealth_options = ("on_ready",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="the world; the same seed is the same world")
        parser.add_argument("--ports", default=_PORTS, help="four ports, 0 for any free one")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--ticks-per-second", type=float, default=4.0, help="trades a second of a busy market")
        parser.add_argument("--history-days", type=int, default=365, help="how far back minutes reach")
        parser.add_argument(
            "--markets", type=int, default=0, help="fill the lists with invented coins up to so many markets in all"
        )
        parser.add_argument("--replay", type=Path, help="folder of recorded candles to play in place of made-up prices")
        parser.add_argument("--journal", type=Path, help="file that keeps posted trades over restarts")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Check the wishes, then run until SIGTERM or Ctrl-C."""
        wishes = Wishes(
            seed=options["seed"],
            ports=_ports(options["ports"]),
            host=options["host"],
            ticks_per_second=_within(options["ticks_per_second"], "--ticks-per-second", 0.1, 60),
            history_days=int(_within(options["history_days"], "--history-days", 1, 2500)),
            markets=int(_within(options["markets"], "--markets", 0, 5000)),
            replay=_folder(options["replay"]),
            journal=options["journal"],
        )
        on_ready: Callable[[], object] | None = options.get("on_ready")

        def announce(addresses: dict[str, str]) -> None:
            self.stdout.write(json.dumps(addresses))
            self.stdout.flush()
            if on_ready is not None:
                on_ready()

        try:
            asyncio.run(run(wishes, announce))
        except StartError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.strerror or error}. Name other ports, or 0 for free ones.") from error


def _ports(text: str) -> list[int]:
    words = text.split(",")
    if len(words) != 4 or not all(word.strip().isdigit() and int(word) < 65_536 for word in words):
        raise CommandError(f"--ports takes four numbers below 65536 with commas between them, such as {_PORTS}.")
    ports = [int(word) for word in words]
    named = [port for port in ports if port]
    if len(set(named)) < len(named):
        raise CommandError("--ports names a port twice. Each exchange needs its own.")
    return ports


def _within(value: float, name: str, least: float, most: float) -> float:
    if not least <= value <= most:
        raise CommandError(f"{name} lies between {least} and {most}.")
    return value


def _folder(path: Path | None) -> Path | None:
    if path is not None and not path.is_dir():
        raise CommandError(f"{path} is not a folder. --replay takes one with <exchange>/<SYMBOL>-<timeframe>.csv.gz.")
    return path
