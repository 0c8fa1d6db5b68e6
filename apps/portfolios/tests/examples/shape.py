"""What an example is, short ways to write its transactions, and how a figure is found in a result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

Row = dict[str, object]
Figures = dict[str, str]


@dataclass(frozen=True)
class Example:
    """A ledger, a policy, and figures of its result by path: `s1.gain`, `pools.BTC.cost`, `missing`.

    A figure counts as met when the result, rounded to as many digits as the source prints, reads the same.
    """

    name: str
    source: str
    rows: list[Row]
    expected: Figures
    policy: Mapping[str, object] = field(default_factory=dict)
    changes: list[Row] = field(default_factory=list)

    @property
    def file(self) -> Row:
        """Return the example as a portable file."""
        return {"transactions": self.rows, "policy": self.policy, "policy_changes": self.changes}


def row(kind_of_entry: str, name: str, ts: str, /, **fields: str) -> Row:
    """Return a transaction of any type."""
    return {"type": kind_of_entry, "id": name, "ts": ts if "T" in ts else f"{ts}T12:00:00Z", **fields}


def buy(name: str, ts: str, asset: str, amount: str, value: str, **fields: str) -> Row:
    """Return a buy for a total value."""
    return row("buy", name, ts, asset=asset, amount=amount, value=value, **fields)


def sell(name: str, ts: str, asset: str, amount: str, value: str, **fields: str) -> Row:
    """Return a sale for a total value."""
    return row("sell", name, ts, asset=asset, amount=amount, value=value, **fields)


def opening(name: str, ts: str, asset: str, amount: str, value: str) -> Row:
    """Return the opening balance of a pool."""
    return row("pool_opening", name, ts, asset=asset, amount=amount, value=value)


def move(name: str, ts: str, asset: str, amount: str, source: str, target: str, **fields: str) -> Row:
    """Return a transfer between own accounts."""
    return row("transfer", name, ts, asset=asset, amount=amount, from_account=source, to_account=target, **fields)


def figure(result: Row, path: str) -> str:
    """Return the figure at a path of a result, lists written on one line."""
    head, *rest = path.split(".")
    if head in result:
        found: object = result[head]
    else:
        lines = cast("list[Row]", result["disposals"])
        found = next((line for line in lines if line["tx"] == head), None)
        if found is None:
            return "nothing"
    for name in rest:
        found = cast("Row", found).get(name)
    return _written(path.rsplit(".", maxsplit=1)[-1], found)


def agrees(actual: str, stated: str) -> bool:
    """Tell whether a figure, rounded to the digits of the stated one, is the stated one."""
    if actual == stated:
        return True
    parts = list(zip(actual.split(), stated.split(), strict=False))
    if len(actual.split()) != len(stated.split()):
        return False
    return all(_agrees(*part) for part in parts)


def _agrees(actual: str, stated: str) -> bool:
    pairs = zip(actual.split(":"), stated.split(":"), strict=False)
    return actual.count(":") == stated.count(":") and all(left == right or _near(left, right) for left, right in pairs)


def _near(actual: str, stated: str) -> bool:
    if "." not in stated or not stated.lstrip("-").replace(".", "").isdigit():
        return False
    if not actual.lstrip("-").replace(".", "").isdigit():
        return False
    digits = Decimal(1).scaleb(-len(stated.split(".")[1]))
    return Decimal(actual).quantize(digits) == Decimal(stated)


_LISTS = {
    "lots": ("lot", "amount", "cost_basis"),
    "matches": ("rule", "amount", "cost_basis"),
    "remaining_lots": ("lot", "amount", "cost_basis"),
    "missing": ("tx", "found", "missing"),
    "errors": ("tx", "code"),
    "disposals": ("tx", "kind", "gain"),
}


def _written(name: str, found: object) -> str:
    if isinstance(found, list):
        return " ".join(":".join(str(line[field]) for field in _LISTS[name]) for line in found)
    return str(found)
