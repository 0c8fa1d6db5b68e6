"""Booking a ledger, and reading what was booked: results in parts, lots, gains of a year."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

import orjson
import zstandard
from django.db.models import QuerySet

from apps.portfolios.domain.booking import Booking, Line, book, scaled, text
from apps.portfolios.domain.booking.checkpoints import open_lots_of
from apps.portfolios.domain.booking.stretches import chain_of
from apps.portfolios.domain.held import CLOSING
from apps.portfolios.domain.policy import Policy
from apps.portfolios.domain.result import Row, lot_row
from apps.portfolios.domain.timeline import Timeline, always, timeline_as_kept
from apps.portfolios.models import BookedPart, BookedResult, Portfolio
from apps.portfolios.queries.checkpoints import ENGINE, lots_at
from apps.portfolios.queries.ledger import ledger_entries

#: The part of a result that says what is missing or wrong.
RECORDS: Final = "records"
_LEVEL: Final = 3
_TOTALS: Final = ("realised_total", "realised_short", "realised_long", "income_total", "fees_total")


def booking_of(*, portfolio: Portfolio, policy: Policy | Timeline, until: datetime | None = None) -> Booking:
    """Book the portfolio's ledger by these rules, up to a moment, without keeping the result."""
    return book(ledger_entries(portfolio=portfolio, until=until), policy, quote=portfolio.currency)


def policy_hash(*, policy: Policy | Timeline) -> str:
    """Return what tells these rules from all others."""
    kept = timeline_as_kept(always(policy))
    return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()


def first_chain(*, policy_hash: str, currency: str) -> bytes:
    """Return the hash that the hash of every line goes on from: by which engine, in which money, by which rules."""
    return hashlib.sha256(f"{ENGINE}:{currency}:{policy_hash}".encode()).digest()


def input_hash(*, lines: Iterable[Line], policy_hash: str, currency: str) -> str:
    """Return the hash of all that a result is made of."""
    ordered = sorted(lines, key=attrgetter("at_us"))
    return chain_of(ordered, chain=first_chain(policy_hash=policy_hash, currency=currency)).hex()


def packed(*, part: Row) -> bytes:
    """Return a part as it is kept."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(orjson.dumps(part))


def unpacked(*, body: bytes | memoryview) -> dict[str, Any]:
    """Return a part that was kept."""
    found: dict[str, Any] = orjson.loads(zstandard.ZstdDecompressor().decompress(bytes(body)))
    return found


def whole_result(*, result: BookedResult) -> Row:
    """Return a kept result as section 6 of the contract has it."""
    rows = BookedPart.objects.filter(result=result)
    years = [part for name, part in _parts(rows) if name.isdigit()]
    disposals = [row for year in years for row in year["disposals"]]
    income = [row for year in years for row in year["income"]]
    return {"disposals": disposals, "income": income, **_closing(result), **records_of_result(result=result)}


def year_of_result(*, result: BookedResult, year: int) -> Row:
    """Return a kept result with the disposals, the income and the totals of one year alone."""
    return {**_closing(result), **figures_of_year(result=result, year=year)}


def figures_of_year(*, result: BookedResult, year: int) -> Row:
    """Return what one year brought, and what is missing or wrong in all; what is left at the end stays packed."""
    found = [part for _name, part in _parts(BookedPart.objects.filter(result=result, name=str(year)))]
    return {
        **records_of_result(result=result),
        "disposals": [row for part in found for row in part["disposals"]],
        "income": [row for part in found for row in part["income"]],
        **{name: text(sum(scaled(Decimal(part[name])) for part in found)) for name in _TOTALS},
        "year": year,
    }


def result_of_asset(*, result: BookedResult, asset: str, buckets: Collection[str]) -> Row:
    """Return of a kept result what is about one asset; of lots only those in the buckets that it may lie in."""
    in_years = BookedPart.objects.filter(result=result).exclude(name__in=(CLOSING, RECORDS))
    years = [part for _name, part in _parts(in_years)]
    told: dict[str, Any] = {name: [row for year in years for row in year[name]] for name in ("disposals", "income")}
    told |= {"remaining_lots": _closing(result, buckets)["remaining_lots"], **records_of_result(result=result)}
    return {name: [row for row in rows if row.get("asset") == asset] for name, rows in told.items()}


def records_of_result(*, result: BookedResult) -> Row:
    """Return what is missing or wrong in all stretches of a kept result; its disposals and lots stay packed."""
    found = [part for _name, part in _parts(BookedPart.objects.filter(result=result, name=RECORDS))]
    return {name: [row for part in found for row in part[name]] for name in ("missing", "errors")}


def _closing(result: BookedResult, buckets: Collection[str] | None = None) -> Row:
    """Return what is left at the end, with the lots of all assets or of some."""
    parts = _parts(BookedPart.objects.filter(result=result, name=CLOSING))
    closing: Row = next((part for _name, part in parts), {})
    if "remaining_lots" not in closing:
        closing = {"remaining_lots": _remaining_lots(result, buckets), **closing}
    return closing


def _remaining_lots(result: BookedResult, buckets: Collection[str] | None) -> list[Row]:
    kept = lots_at(result=result, assets=buckets).items()
    lots = sorted((lot for key, rows in kept for lot in open_lots_of(key, rows)), key=attrgetter("at_us", "seq"))
    return [lot_row(lot) for lot in lots]


def _parts(rows: QuerySet[BookedPart]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, body in rows.order_by("start", "name").values_list("name", "body"):
        yield name, unpacked(body=body)
