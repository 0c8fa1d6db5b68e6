"""The supervisor's command line, without Django: a process that waits all day must not carry a web framework."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from apps.operations.domain.processes import Addresses
from apps.operations.supervisor import company, up
from apps.operations.supervisor.folder import CODE
from apps.operations.supervisor.surroundings import Wishes


def main(arguments: Sequence[str]) -> int:
    """Read the arguments and run one of the two commands."""
    parser = argparse.ArgumentParser(prog="supervisor", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    add_up_arguments(commands.add_parser("supervise"))
    add_company_arguments(commands.add_parser("with_services"))
    options = parser.parse_args(arguments)
    if options.command == "supervise":
        return up.run(wishes_of(options))
    command = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not command:
        parser.error("with_services needs a command")
    return company.run(data=options.data, command=command, throwaway=options.throwaway)


def add_up_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `supervise` understands."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--live-port", type=int)
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--feed", choices=("simulator", "live", "off"))
    parser.add_argument("--no-demo", action="store_true")
    parser.add_argument("--no-ml", action="store_true")
    parser.add_argument("--json", action="store_true")


def add_company_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `with_services` understands."""
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--throwaway", action="store_true")
    parser.add_argument("words", nargs=argparse.REMAINDER)


def default_data() -> Path:
    """Return the data folder of this checkout, or the one the environment names."""
    return Path(os.environ.get("COINSPHERE_DATA") or CODE / "var")


def wishes_of(options: argparse.Namespace) -> Wishes:
    """Return the arguments of `supervise` as one value."""
    return Wishes(
        data=options.data,
        addresses=Addresses(options.host, options.port, options.live_port or options.port + 1),
        feed=options.feed or ("live" if options.no_demo else "simulator"),
        demo=not options.no_demo,
        forecasts=not options.no_ml,
        as_json=options.json,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
