"""`./coinsphere bench [name ...]`: runs the named benchmarks, or all, and prints one table."""

import os
import sys

import django

from bench.table import as_text


def main(names: list[str]) -> int:
    """Run the benchmarks and return the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from bench import house  # after Django is ready

    suites = {"house": house.rows}
    unknown = [name for name in names if name not in suites]
    if unknown:
        print(f"There is no benchmark called {unknown[0]}. Known: {', '.join(suites)}.", file=sys.stderr)
        return 2
    rows = [row for name in names or list(suites) for row in suites[name]()]
    print(as_text(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
