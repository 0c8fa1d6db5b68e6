"""rp2 on the events of `bench.ledger`, for comparison; runs in an environment of its own and prints CPU seconds."""

import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from prezzemolo.avl_tree import AVLTree  # type: ignore[import-not-found]
from rp2.accounting_engine import AccountingEngine  # type: ignore[import-not-found]
from rp2.configuration import MAX_DATE, MIN_DATE, Configuration  # type: ignore[import-not-found]
from rp2.in_transaction import InTransaction  # type: ignore[import-not-found]
from rp2.input_data import InputData  # type: ignore[import-not-found]
from rp2.out_transaction import OutTransaction  # type: ignore[import-not-found]
from rp2.plugin.country.us import US  # type: ignore[import-not-found]
from rp2.rp2_decimal import RP2Decimal  # type: ignore[import-not-found]
from rp2.tax_engine import compute_tax  # type: ignore[import-not-found]
from rp2.transaction_set import TransactionSet  # type: ignore[import-not-found]

Event = tuple[int, str, str, str, str]

_COLUMNS = {
    "in_header": "timestamp asset exchange holder transaction_type spot_price crypto_in fiat_fee",
    "out_header": "timestamp asset exchange holder transaction_type spot_price crypto_out_no_fee crypto_fee",
    "intra_header": "timestamp asset from_exchange from_holder to_exchange to_holder spot_price crypto_sent "
    "crypto_received",
}


def _events(file: Path) -> Iterator[Event]:
    with file.open(encoding="ascii") as lines:
        for number, line in enumerate(lines, start=1):
            at, kind, amount, price = line.split()
            yield number, at, kind, amount, price


def _configuration(folder: Path) -> Configuration:
    text = "[general]\nassets = X\nexchanges = E\nholders = H\n"
    for section, names in _COLUMNS.items():
        columns = (f"{name} = {column}\n" for column, name in enumerate(names.split()))
        text += f"[{section}]\n{''.join(columns)}"
    file = folder / "rp2.ini"
    file.write_text(text, encoding="ascii")
    return Configuration(str(file), US())


def main(events: Path, method: str) -> None:
    """Make the objects, compute, and print what that took."""
    configuration = _configuration(events.parent)
    methods = AVLTree()
    methods.insert_node(MIN_DATE.year, import_module(f"rp2.plugin.accounting_method.{method}").AccountingMethod())
    started = time.process_time()
    sets = {name: TransactionSet(configuration, name, "X", MIN_DATE, MAX_DATE) for name in ("IN", "OUT", "INTRA")}
    nothing = RP2Decimal("0")
    for number, at, kind, amount, price in _events(events):
        facts = (configuration, at, "X", "E", "H", kind, RP2Decimal(price), RP2Decimal(amount))
        name = "IN" if kind == "BUY" else "OUT"
        more = {"row": number, "unique_id": str(number)}
        sets[name].add_entry(
            InTransaction(*facts, **more) if kind == "BUY" else OutTransaction(*facts, nothing, **more)
        )
    data = InputData("X", sets["IN"], sets["OUT"], sets["INTRA"])
    compute_tax(configuration, AccountingEngine(years_2_methods=methods), data)
    print(time.process_time() - started)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
