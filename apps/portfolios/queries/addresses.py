"""Addresses that transfers come from and go to: those that wait for an answer, and those that have one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from apps.core.api.times import iso_z
from apps.core.errors import NotFoundError
from apps.core.money import fits, multiply, plain
from apps.markets.queries.rates import Rate
from apps.portfolios.domain.addresses import address_key
from apps.portfolios.domain.drafts import EntryDraft, entry_of
from apps.portfolios.domain.transactions import Entry, EntryType
from apps.portfolios.models import AddressAnswer, Portfolio, Transaction
from apps.portfolios.queries.completeness import unmatched_legs
from apps.portfolios.queries.matching import as_leg, proposals_for
from apps.portfolios.queries.pricing import prices_of

_DIGITS: Final = 200
#: For so many hours the prices are looked up in a preview; entries of other hours are counted as not priced yet.
MOST_HOURS: Final = 100


@dataclass(slots=True)
class AskedAddress:
    """An address that transfers wait at: how many leave for it and come from it, and of what."""

    address: str
    out: int = 0
    came: int = 0
    likely: int = 0
    sent: dict[str, Decimal] = field(default_factory=dict)
    received: dict[str, Decimal] = field(default_factory=dict)

    @property
    def applies_to(self) -> int:
        """Return how many transfers an answer would be about: those that look like a pair are left out."""
        return self.out + self.came - self.likely


def legs_at(*, portfolio: Portfolio) -> dict[str, list[Transaction]]:
    """Return the transfers without another side by the address that they name."""
    found: defaultdict[str, list[Transaction]] = defaultdict(list)
    rows = (
        unmatched_legs(portfolio=portfolio).exclude(address="").select_related("account", "from_account", "to_account")
    )
    for row in rows.in_order():
        found[address_key(row.address)].append(row)
    return dict(found)


def likely_legs(*, portfolio: Portfolio) -> frozenset[str]:
    """Return the transfers that look like one side of a pair."""
    return frozenset(leg for one in proposals_for(portfolio=portfolio) for leg in (one.out, *one.arrived))


def asked_addresses(*, portfolio: Portfolio) -> list[AskedAddress]:
    """Return the addresses without an answer that transfers wait at, the most used first."""
    legs = legs_at(portfolio=portfolio)
    known = set(AddressAnswer.objects.filter(portfolio=portfolio).values_list("address", flat=True))
    likely = likely_legs(portfolio=portfolio) if legs.keys() - known else frozenset()
    found = [_asked(address, rows, likely) for address, rows in legs.items() if address not in known]
    return sorted(found, key=lambda one: (-one.out - one.came, one.address))


def priced_entries(
    *, portfolio: Portfolio, pairs: Sequence[tuple[Transaction, EntryDraft]], now: datetime
) -> tuple[dict[str, Entry], int]:
    """Return what transfers are told anew as, with the value of their hour, and for how many none is known."""
    told: dict[str, Entry] = {}
    hours: defaultdict[datetime, list[tuple[Transaction, EntryDraft]]] = defaultdict(list)
    for row, draft in pairs:
        if draft.type is EntryType.TRANSFER or draft.value is not None:
            told[str(row.pk)] = entry_of(draft, entry_id=str(row.pk))
        else:
            hours[row.at.replace(minute=0, second=0, microsecond=0)].append((row, draft))
    unpriced = 0
    for place, (hour, same) in enumerate(sorted(hours.items(), reverse=True)):
        assets = {row.asset for row, _draft in same}
        at = min(hour + timedelta(hours=1), now)
        known = {} if place >= MOST_HOURS else prices_of(assets=assets, currency=portfolio.currency, at=at, now=now)
        for row, draft in same:
            worth = _worth(draft.amount, known.get(row.asset))
            unpriced += worth is None
            told[str(row.pk)] = entry_of(replace(draft, value=worth or Decimal(0)), entry_id=str(row.pk))
    return told, unpriced


def _worth(amount: Decimal | None, rate: Rate | None) -> Decimal | None:
    if amount is None or rate is None or rate.value is None:
        return None
    worth = multiply(amount, rate.value)
    return worth if fits(worth) else None


def answers_of(*, portfolio: Portfolio) -> QuerySet[AddressAnswer]:
    """Return the answers about addresses, newest first."""
    return AddressAnswer.objects.filter(portfolio=portfolio).select_related("account", "by").order_by("-id")


def answer_of(*, portfolio: Portfolio, answer_id: UUID) -> AddressAnswer:
    """Return an answer, or raise `NotFoundError`."""
    found = answers_of(portfolio=portfolio).filter(pk=answer_id).first()
    if found is None:
        raise NotFoundError
    return found


def asked_row(*, one: AskedAddress) -> dict[str, Any]:
    """Return an address that waits as answers have it."""
    return {
        "address": one.address,
        "out": one.out,
        "in": one.came,
        "applies_to": one.applies_to,
        "sent": {asset: plain(amount) for asset, amount in one.sent.items()},
        "received": {asset: plain(amount) for asset, amount in one.received.items()},
    }


def answer_row(*, row: AddressAnswer) -> dict[str, Any]:
    """Return an answer as answers have it."""
    return {
        "id": str(row.pk),
        "address": row.address,
        "answer": row.answer,
        "account": row.account.name if row.account else None,
        "created_at": iso_z(row.created_at),
    }


def _asked(address: str, rows: list[Transaction], likely: frozenset[str]) -> AskedAddress:
    one = AskedAddress(address)
    with localcontext() as context:
        context.prec = _DIGITS
        for row in rows:
            leaves = row.to_account_id is None
            sums = one.sent if leaves else one.received
            sums[row.asset] = sums.get(row.asset, Decimal(0)) + as_leg(row=row).amount
            one.out += leaves
            one.came += not leaves
            one.likely += str(row.pk) in likely
    return one
