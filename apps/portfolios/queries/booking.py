"""Booking a ledger, and reading what was booked: results in parts, lots, gains of a year."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import orjson
import zstandard

from apps.portfolios.domain.booking import Booking, book
from apps.portfolios.domain.held import CLOSING
from apps.portfolios.domain.policy import Policy, policy_as_portable
from apps.portfolios.domain.result import Row
from apps.portfolios.domain.transactions import Entry
from apps.portfolios.models import BookedPart, BookedResult, Portfolio
from apps.portfolios.queries.ledger import ledger_entries

#: Rises when the engine would book the same entries otherwise.
ENGINE: Final = 1
_LEVEL: Final = 3
_TOTALS: Final = ("realised_total", "realised_short", "realised_long", "income_total", "fees_total")


def booking_of(*, portfolio: Portfolio, policy: Policy, until: datetime | None = None) -> Booking:
    """Book the portfolio's ledger by a policy, up to a moment, without keeping the result."""
    return book(ledger_entries(portfolio=portfolio, until=until), policy, quote=portfolio.currency)


def policy_hash(*, policy: Policy) -> str:
    """Return what tells this policy from every other."""
    return hashlib.sha256(orjson.dumps(policy_as_portable(policy), option=orjson.OPT_SORT_KEYS)).hexdigest()


def input_hash(*, entries: Iterable[Entry], policy: Policy, currency: str) -> str:
    """Return the hash of all that a result is made of."""
    digest = hashlib.sha256(f"{ENGINE}:{currency}:{policy_hash(policy=policy)}".encode())
    for one in entries:
        digest.update(repr(one).encode())
    return digest.hexdigest()


def packed(*, part: Row) -> bytes:
    """Return a part as it is kept."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(orjson.dumps(part))


def unpacked(*, body: bytes | memoryview) -> dict[str, Any]:
    """Return a part that was kept."""
    found: dict[str, Any] = orjson.loads(zstandard.ZstdDecompressor().decompress(bytes(body)))
    return found


def whole_result(*, result: BookedResult) -> Row:
    """Return a kept result as section 6 of the contract has it."""
    found = _parts(result)
    closing = found.pop(CLOSING)
    disposals = [row for year in sorted(found) for row in found[year]["disposals"]]
    income = [row for year in sorted(found) for row in found[year]["income"]]
    return {"disposals": disposals, "income": income, **closing}


def year_of_result(*, result: BookedResult, year: int) -> Row:
    """Return a kept result with the disposals, the income and the totals of one year alone."""
    found = _parts(result, str(year), CLOSING)
    nothing: Row = {"disposals": [], "income": [], **dict.fromkeys(_TOTALS, "0")}
    return {**found[CLOSING], **found.get(str(year), nothing), "year": year}


def _parts(result: BookedResult, *names: str) -> dict[str, dict[str, Any]]:
    rows = BookedPart.objects.filter(result=result)
    if names:
        rows = rows.filter(name__in=names)
    return {name: unpacked(body=body) for name, body in rows.values_list("name", "body")}
