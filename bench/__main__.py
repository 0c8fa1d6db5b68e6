"""`./coinsphere bench [--quick] [name ...]`: runs the named benchmarks, or all, and prints one table.

With --quick the live part of `markets` and the files of `ledger` are small: it shows that everything runs, not what
it can bear.
"""

import os
import sys
from collections.abc import Callable
from functools import partial

import django

from bench.table import Row, as_text


def main(words: list[str]) -> int:
    """Run the benchmarks and return the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from bench import house, ledger, markets  # after Django is ready

    suites: dict[str, Callable[[], list[Row]]] = {
        "house": house.rows,
        "ledger": partial(ledger.rows, quick="--quick" in words),
        "markets": partial(markets.rows, quick="--quick" in words),
    }
    names = [word for word in words if word != "--quick"]
    unknown = [name for name in names if name not in suites]
    if unknown:
        print(f"There is no benchmark called {unknown[0]}. Known: {', '.join(suites)}.", file=sys.stderr)
        return 2
    rows = [row for name in names or list(suites) for row in suites[name]()]
    print(as_text(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
