"""One thing that is missing, with all numbers that are known of it, and the ways in which it can be mended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from apps.core import money
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.models import Holding, Portfolio, Transaction
from apps.portfolios.queries.ledger import draft_of_row
from apps.portfolios.queries.matching import as_leg, legs_to_match, proposals_for
from apps.portfolios.queries.pricing import prices_of
from apps.portfolios.queries.reconciliation import Balance

MATCH: Final = "match"
MOST_CANDIDATES: Final = 20
_BEFORE: Final = timedelta(days=1)
_NOTHING: Final = Decimal(0)


class What(StrEnum):
    """What is missing: the words that an address says it in."""

    MISSING = "missing"
    LEG = "leg"
    BELOW = "below"
    BALANCE = "balance"


class Side(StrEnum):
    """Which way the ledger is to be mended."""

    TOO_LITTLE = "too_little"
    TOO_MUCH = "too_much"
    ARRIVED = "arrived"
    LEFT = "left"


#: The ways of typing that mend each, the likeliest first; putting transfers together comes besides.
WAYS: Final[Mapping[Side, tuple[str, ...]]] = {
    Side.TOO_LITTLE: ("opening", "gift_in", "income"),
    Side.TOO_MUCH: ("spend", "gift_out", "lost", "fee", "withdrawal"),
    Side.ARRIVED: ("opening", "gift_in", "income"),
    Side.LEFT: ("transfer", "spend", "gift_out", "lost"),
}


@dataclass(frozen=True, slots=True)
class GapWish:
    """Which thing is asked for."""

    what: What
    entry: UUID | None = None
    asset: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """Coins that the ledger cannot explain: how many, where, and since which entry."""

    what: What
    side: Side
    asset: str
    account: str
    amount: Decimal
    entry: Transaction | None = None

    @property
    def is_leg(self) -> bool:
        """Tell whether it is a transfer that is to be told anew, not something to be added."""
        return self.side in {Side.ARRIVED, Side.LEFT}


@dataclass(frozen=True, slots=True)
class Pair:
    """An existing transfer that may explain the coins: what left, and what it arrived as if that is known."""

    out: Transaction
    arrived: tuple[Transaction, ...]
    reasons: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """Return the ids, as a form sends them."""
        return " ".join(str(one.pk) for one in (self.out, *self.arrived))


def gap_of(
    *, portfolio: Portfolio, wish: GapWish, booked: Mapping[str, Any], balances: Iterable[Balance]
) -> Gap | None:
    """Return what is missing, or nothing where it is mended already."""
    match wish.what:
        case What.MISSING:
            return _missing(portfolio, wish, booked["missing"])
        case What.LEG:
            return _leg(portfolio, wish)
        case What.BELOW:
            return _below(portfolio, wish)
        case What.BALANCE:
            return _balance(wish, balances)


def pairs_for(*, portfolio: Portfolio, gap: Gap) -> list[Pair]:
    """Return the existing transfers that may explain a gap, the likeliest first."""
    rows = legs_to_match(portfolio=portfolio).filter(asset=gap.asset)
    if gap.is_leg:
        return _other_sides(portfolio, gap, list(rows))
    if gap.side is Side.TOO_MUCH:
        return []
    sent = rows.filter(to_account=None).exclude(account__name=gap.account)
    if gap.entry is not None:
        sent = sent.filter(at__lte=gap.entry.at)
    return [Pair(row, ()) for row in sent[:MOST_CANDIDATES]]


def moved_here(*, pair: Pair, gap: Gap) -> EntryDraft:
    """Return what left as a move into the account where the coins are missing."""
    draft = draft_of_row(row=pair.out)
    return replace(draft, to_account=gap.account, received=draft.received or draft.amount)


def lost_worth(*, portfolio: Portfolio, pair: Pair, now: datetime) -> Decimal | None:
    """Return what a pair lost on its way was worth when it left; nothing where that is not known."""
    if pair.out.fee_value is not None:
        return pair.out.fee_value
    lost = as_leg(row=pair.out).amount - sum((as_leg(row=one).amount for one in pair.arrived), _NOTHING)
    rate = prices_of(assets=[pair.out.asset], currency=portfolio.currency, at=pair.out.at, now=now).get(pair.out.asset)
    worth = None if rate is None or rate.value is None else money.multiply(lost, rate.value)
    return worth if worth is not None and money.fits(worth) else None


def begin_at(*, gap: Gap, now: datetime) -> datetime:
    """Return the moment that a mending entry is proposed for: a day before what needed the coins."""
    if gap.entry is None:
        return now
    return gap.entry.at if gap.is_leg else gap.entry.at - _BEFORE


def worth_at(*, portfolio: Portfolio, gap: Gap, at: datetime, now: datetime) -> Decimal | None:
    """Return what the coins were worth at a moment, to the digits of the money; nothing where no price is known."""
    rate = prices_of(assets=[gap.asset], currency=portfolio.currency, at=at, now=now).get(gap.asset)
    if rate is None or rate.value is None:
        return None
    worth = money.multiply(gap.amount, rate.value)
    short = money.rounded(worth, digits=money.currency(portfolio.currency).digits)
    found = short or worth
    return found if money.fits(found) else None


# --- The kinds --------------------------------------------------------------------------------------------------------
def _missing(portfolio: Portfolio, wish: GapWish, rows: Iterable[Mapping[str, Any]]) -> Gap | None:
    entry = _entry(portfolio, wish)
    found = [
        Decimal(row["missing"])
        for row in rows
        if row["tx"].split(":", 1)[0] == str(wish.entry)
        and row["asset"] == wish.asset
        and (row["account"] or "") in {wish.account, ""}
    ]
    if entry is None or not found:
        return None
    place = entry.from_account or entry.account
    return Gap(wish.what, Side.TOO_LITTLE, wish.asset, wish.account or place.name, sum(found, _NOTHING), entry)


def _leg(portfolio: Portfolio, wish: GapWish) -> Gap | None:
    entry = None if wish.entry is None else legs_to_match(portfolio=portfolio).filter(pk=wish.entry).first()
    if entry is None:
        return None
    side = Side.LEFT if entry.to_account_id is None else Side.ARRIVED
    return Gap(wish.what, side, entry.asset, entry.account.name, as_leg(row=entry).amount, entry)


def _below(portfolio: Portfolio, wish: GapWish) -> Gap | None:
    row = Holding.objects.filter(portfolio=portfolio, asset=wish.asset).first()
    amount = Decimal(row.accounts.get(wish.account, 0)) if row is not None else _NOTHING
    return Gap(wish.what, Side.TOO_LITTLE, wish.asset, wish.account, -amount) if amount < 0 else None


def _balance(wish: GapWish, balances: Iterable[Balance]) -> Gap | None:
    found = next((one for one in balances if (one.account, one.asset) == (wish.account, wish.asset)), None)
    if found is None or not found.difference:
        return None
    side = Side.TOO_LITTLE if found.difference < 0 else Side.TOO_MUCH
    return Gap(wish.what, side, wish.asset, wish.account, abs(found.difference))


def _entry(portfolio: Portfolio, wish: GapWish) -> Transaction | None:
    if wish.entry is None:
        return None
    rows = Transaction.objects.filter(portfolio=portfolio, pk=wish.entry).standing()
    return rows.select_related("account", "from_account", "to_account").first()


# --- The other sides --------------------------------------------------------------------------------------------------
def _other_sides(portfolio: Portfolio, gap: Gap, rows: list[Transaction]) -> list[Pair]:
    by_id = {str(row.pk): row for row in rows}
    own = str(gap.entry.pk) if gap.entry else ""
    found = {
        (one.out, *one.arrived): Pair(
            by_id[one.out], tuple(by_id[leg] for leg in one.arrived), tuple(map(str, one.reasons))
        )
        for one in proposals_for(portfolio=portfolio)
        if own in {one.out, *one.arrived} and {one.out, *one.arrived} <= by_id.keys()
    }
    for row in rows:
        out, came = (row, by_id[own]) if gap.side is Side.ARRIVED else (by_id[own], row)
        if _may_be(out, came):
            found.setdefault((str(out.pk), str(came.pk)), Pair(out, (came,)))
    return list(found.values())[:MOST_CANDIDATES]


def _may_be(out: Transaction, came: Transaction) -> bool:
    if out.to_account_id is not None or came.from_account_id is not None or out.account_id == came.account_id:
        return False
    return as_leg(row=came).amount <= as_leg(row=out).amount
