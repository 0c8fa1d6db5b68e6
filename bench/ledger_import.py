"""Importing 100,000 lines: to checked drafts, and on into the database, against Python's own csv and COPY."""

import csv
import io
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from apps.portfolios.domain.importing import read_file
from bench.table import Row

LINES = 99_999
BUDGET_SECONDS = 5.0
_START = datetime(2022, 1, 1)  # noqa: DTZ001 - only its text is used


def rows() -> list[Row]:
    """Measure the formats that cost most and least, in seconds of CPU."""
    bare = _seconds(lambda: _bare(_spot_trades()))
    return [
        _row("Binance history, three lines an entry", _history(), LINES // 3, bare),
        _row("KuCoin trades, a line an entry", _spot_trades(), LINES, bare),
        _row("generic columns, a line an entry", _generic(), LINES, bare),
        *_end_to_end(_spot_trades()),
    ]


def _end_to_end(data: bytes) -> list[Row]:
    """Measure a file from its bytes to booked rows, beside csv and a bare COPY of its cells."""
    from django.core.management import call_command  # late, all of these: Django is set up by now

    from apps.accounts.models import User
    from apps.core import clock
    from apps.portfolios import actions
    from apps.portfolios.models import ImportWork

    call_command("migrate", verbosity=0)
    user = User.objects.create_user(email="import@bench.example", password="figures-need-a-peer-1")
    portfolio = actions.ensure_default_portfolio(user=user, now=clock.now())
    copied = _seconds(lambda: _copied(data))
    preview = _seconds(lambda: actions.preview_import(portfolio=portfolio, data=data, by=user, now=clock.now()))
    found = portfolio.imports.get()
    actions.commit_import(user=user, import_id=found.pk, now=clock.now())
    work = ImportWork.objects.get(file_import=found)
    booking = _seconds(lambda: actions.run_import(work_id=work.pk, worker="bench", read_clock=clock.now))
    found.refresh_from_db()
    user.delete()
    if found.posted != LINES:
        raise RuntimeError(f"{found.posted} of {LINES} entries were booked.")
    parts = {"preview": preview, "booking by a worker": booking, "both": preview + booking}
    return [
        Row(
            f"import of 100,000 lines, KuCoin trades: {name}",
            f"{seconds:.1f} s CPU",
            peer=f"{copied:.1f} s, csv and COPY alone",
            ratio=f"{copied / seconds:.2f}",
        )
        for name, seconds in parts.items()
    ]


def _copied(data: bytes) -> None:
    """Put the cells of a file into a table without looking at them."""
    from django.db import connection

    rows = csv.reader(io.StringIO(data.decode(), newline=""))
    heads = next(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE bare ({', '.join(f'{name} text' for name in heads)})")
        with cursor.copy("COPY bare FROM STDIN") as stream:
            for row in rows:
                stream.write_row(row)
        cursor.execute("DROP TABLE bare")


def _row(what: str, data: bytes, expected: int, bare: float) -> Row:
    found = read_file(data=data)
    if len(found.drafts) != expected or found.errors:
        raise RuntimeError(f"{what}: {len(found.drafts)} of {expected} entries were read.")
    seconds = _seconds(lambda: read_file(data=data))
    return Row(
        f"import of 100,000 lines: {what}",
        f"{seconds:.1f} s CPU",
        peer=f"{bare:.1f} s, csv and Decimal alone",
        ratio=f"{bare / seconds:.2f}",
        budget=f"{BUDGET_SECONDS:.0f} s",
        met=seconds <= BUDGET_SECONDS,
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _bare(data: bytes) -> int:
    """Read the cells and their numbers and times, and keep nothing."""
    count = 0
    for row in csv.DictReader(io.StringIO(data.decode(), newline="")):
        datetime.fromisoformat(row["tradeCreatedAt"])
        count += sum(1 for name in ("size", "funds", "fee") if Decimal(row[name]) > 0)
    return count


def _times(count: int) -> list[str]:
    return [(_START + timedelta(seconds=37 * number)).strftime("%Y-%m-%d %H:%M:%S") for number in range(count)]


def _history() -> bytes:
    lines = ["User_ID,UTC_Time,Account,Operation,Coin,Change,Remark"]
    for number, at in enumerate(_times(LINES // 3), start=1):
        lines += [
            f"1,{at},Spot,Transaction Buy,ETH,{number / 7:.8f},",
            f"1,{at},Spot,Transaction Spend,USDT,-{number * 3:.8f},",
            f"1,{at},Spot,Transaction Fee,BNB,-{number / 9000:.8f},",
        ]
    return "\n".join(lines).encode()


def _spot_trades() -> bytes:
    lines = ["tradeCreatedAt,symbol,side,price,size,funds,fee,feeCurrency"]
    lines += [
        f"{at},ETH-USDT,buy,3080.95,{number / 7:.8f},{number * 3:.8f},{number / 900:.8f},USDT"
        for number, at in enumerate(_times(LINES), start=1)
    ]
    return "\n".join(lines).encode()


def _generic() -> bytes:
    lines = ["ts,type,asset,amount,value,fee,fee_asset"]
    lines += [
        f"{at},buy,ETH,{number / 7:.8f},{number * 3},1.15,USD" for number, at in enumerate(_times(LINES), start=1)
    ]
    return "\n".join(lines).encode()
