"""What a booking means for its reader: holdings in one's own accounts with their cost, and the result year by year."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from apps.portfolios.domain.booking import Booking, Charged, Disposal, Received, Totals, text
from apps.portfolios.domain.booking.scaled import half_even
from apps.portfolios.domain.drafts import OUTSIDE
from apps.portfolios.domain.result import Row, closing, disposal_row
from apps.portfolios.domain.transactions import Entry, moment, moment_text

CLOSING: Final = "closing"


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of one asset, scaled; below zero where more left an account than ever came."""

    asset: str
    amount: int
    cost: int
    accounts: dict[str, int]


def held(booking: Booking) -> list[Held]:
    """Return what is held in one's own accounts; coins that are outside take their share of the cost along.

    The money of account is worth itself, whatever is known of where it came from.
    """
    own: defaultdict[str, dict[str, int]] = defaultdict(dict)
    everywhere: defaultdict[str, int] = defaultdict(int)
    for (account, asset), amount in booking.holdings.items():
        if not amount:
            continue
        if account != OUTSIDE:
            own[asset][account] = amount
        everywhere[booking.policy.bucket(asset)] += max(0, amount)
    costs: defaultdict[str, int] = defaultdict(int)
    for lot in booking.open_lots:
        costs[booking.policy.bucket(lot.asset)] += lot.cost
    found = []
    for asset, accounts in sorted(own.items()):
        amount, bucket = sum(accounts.values()), booking.policy.bucket(asset)
        in_hand = max(0, amount)
        cost = in_hand if asset == booking.quote else _share(costs[bucket], in_hand, everywhere[bucket])
        found.append(Held(asset, amount, cost, accounts))
    return found


def parts(booking: Booking) -> dict[str, Row]:
    """Return the result in parts that are read alone: what is left at the end, and each year's disposals and income."""
    found: dict[str, Row] = {CLOSING: closing(booking)}
    years: set[int] = set()
    disposals: defaultdict[int, list[Disposal]] = defaultdict(list)
    for disposal in booking.disposals:
        disposals[moment(disposal.at_us).year].append(disposal)
    incomes: defaultdict[int, list[Received]] = defaultdict(list)
    for income in booking.incomes:
        incomes[moment(income.at_us).year].append(income)
    charges: defaultdict[int, list[Charged]] = defaultdict(list)
    for charge in booking.charges:
        charges[moment(charge.at_us).year].append(charge)
    years.update(disposals, incomes, charges)
    long_us = booking.long_us
    for year in sorted(years):
        totals = totals_of(disposals[year], incomes[year], charges[year])
        found[str(year)] = {
            "disposals": [disposal_row(one, long_us=long_us(one.at_us)) for one in disposals[year]],
            "income": [income_row(one) for one in incomes[year]],
            "realised_total": text(totals.realised),
            "realised_short": text(totals.short),
            "realised_long": text(totals.long),
            "income_total": text(totals.income),
            "fees_total": text(totals.fees),
        }
    return found


def totals_of(disposals: Sequence[Disposal], incomes: Iterable[Received], charges: Iterable[Charged]) -> Totals:
    """Return the sums of these records, gains split by how long what was disposed of had been held."""
    termed = [one for one in disposals if one.term is not None]
    long = sum(one.long_gain for one in termed)
    return Totals(
        realised=sum(one.gain for one in disposals),
        short=sum(one.gain for one in termed) - long,
        long=long,
        income=sum(one.value for one in incomes),
        fees=sum(one.value for one in charges),
    )


def income_row(record: Received) -> Row:
    """Return one income as people read it."""
    return {
        "tx": record.tx,
        "kind": record.kind,
        "asset": record.asset,
        "account": record.account,
        "ts": moment_text(record.at_us),
        "amount": text(record.amount),
        "value": text(record.value),
    }


def legs_among(entries: Iterable[Entry]) -> frozenset[str]:
    """Return the ids of the transfers of which one side is not known."""
    return frozenset(one.id for one in entries if OUTSIDE in {one.from_account, one.to_account})


def _share(cost: int, part: int, whole: int) -> int:
    if part == whole:
        return cost
    return half_even(cost * part, whole)
