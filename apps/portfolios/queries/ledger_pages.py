"""The page of transactions: what fits a reader's wish, page by page, and the whole story of one of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final, TypeVar
from uuid import UUID

from django.core.cache import cache
from django.db.models import Count, Min, Q

from apps.accounts.models import User
from apps.portfolios.models import Account, Batch, BatchKind, Portfolio, Transaction, TransactionQuerySet

ROWS: Final = 50
#: What was counted of one version of a ledger; words may also find what an account is called, which has no version.
FACTS_SECONDS: Final = 86_400
COUNT_SECONDS: Final = 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LedgerWish:
    """What a reader of the ledger wants to see; `before` and `after` are cursors."""

    words: str = ""
    type: str = ""
    account: UUID | None = None
    asset: str = ""
    start: datetime | None = None
    end: datetime | None = None
    batch: UUID | None = None
    reversed: bool = False
    before: str = ""
    after: str = ""

    @property
    def is_filtered(self) -> bool:
        """Tell whether anything is left out."""
        return replace(self, before="", after="") != LedgerWish()


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """The whole of a ledger: how many transactions stand, since when, and of which assets."""

    total: int
    since: datetime | None
    assets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Some transactions, newest first, and the cursors of what is newer and older."""

    rows: tuple[Transaction, ...]
    found: int
    total: int
    since: datetime | None
    newer: str
    older: str
    accounts: tuple[Account, ...]
    assets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntryStory:
    """One transaction with all it was before and what came after it."""

    entry: Transaction
    versions: tuple[Transaction, ...]
    batch: Batch
    is_correctable: bool

    @property
    def is_corrected(self) -> bool:
        """Tell whether it was ever something else."""
        return len(self.versions) > 1


def ledger_page(*, portfolio: Portfolio, wish: LedgerWish, limit: int = ROWS) -> LedgerPage:
    """Return the transactions of a portfolio that a reader wants to see."""
    everything = Transaction.objects.filter(portfolio=portfolio)
    fitting = _fitting(everything if wish.reversed else everything.standing(), wish)
    facts = ledger_facts(portfolio=portfolio)
    rows, newer, older = _slice(
        fitting.select_related("account", "from_account", "to_account", "valuation"), wish, limit
    )
    for row in rows:
        row.portfolio = portfolio
    return LedgerPage(
        rows=tuple(rows),
        found=_counted(portfolio, fitting, wish) if wish.is_filtered else facts.total,
        total=facts.total,
        since=facts.since,
        newer=newer,
        older=older,
        accounts=tuple(Account.objects.filter(portfolio=portfolio).order_by("name")),
        assets=facts.assets,
    )


def ledger_facts(*, portfolio: Portfolio) -> LedgerFacts:
    """Return what the whole ledger is; counted once for each of its versions."""

    def counted() -> LedgerFacts:
        rows = Transaction.objects.filter(portfolio=portfolio).standing().order_by()
        found = rows.aggregate(count=Count("pk"), first=Min("at"))
        named = rows.values_list("asset", "in_asset", "out_asset").distinct()
        codes = {code for row in named for code in row if code}
        return LedgerFacts(found["count"], found["first"], tuple(sorted(codes)))

    return _kept(portfolio, "facts", counted, FACTS_SECONDS)


def _counted(portfolio: Portfolio, fitting: TransactionQuerySet, wish: LedgerWish) -> int:
    """Return how many transactions fit a wish; pages of the same wish count once."""
    question = blake2b(repr(replace(wish, before="", after="")).encode(), digest_size=12).hexdigest()
    return _kept(portfolio, question, fitting.order_by().count, COUNT_SECONDS)


def _kept(portfolio: Portfolio, question: str, make: Callable[[], _T], seconds: int) -> _T:
    """Return what was found for this version of the ledger, or find it."""
    key = f"ledger-page:{portfolio.pk}:{portfolio.version}:{question}"
    found: _T | None = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, seconds)
    return found


def entry_story(*, user: User, transaction_id: UUID) -> EntryStory | None:
    """Return one transaction of a person with its trail, or nothing."""
    own = Transaction.objects.for_user(user).select_related(
        "account", "from_account", "to_account", "valuation", "portfolio", "batch", "batch__by", "reversed_in__by"
    )
    entry = own.filter(pk=transaction_id).first()
    if entry is None:
        return None
    versions = own.filter(portfolio=entry.portfolio_id, place=entry.place).order_by("id")
    return EntryStory(
        entry=entry,
        versions=tuple(versions),
        batch=entry.batch,
        is_correctable=entry.batch.kind != BatchKind.SYNC,
    )


def _fitting(rows: TransactionQuerySet, wish: LedgerWish) -> TransactionQuerySet:
    conditions = {
        "type": wish.type,
        "batch": wish.batch,
        "at__gte": wish.start,
        "at__lt": wish.end,
    }
    rows = rows.filter(**{name: value for name, value in conditions.items() if value})
    if wish.asset:
        rows = rows.filter(Q(asset=wish.asset) | Q(in_asset=wish.asset) | Q(out_asset=wish.asset))
    if wish.account:
        rows = rows.filter(Q(account=wish.account) | Q(from_account=wish.account) | Q(to_account=wish.account))
    return rows.filter(_words(wish.words)) if wish.words else rows


def _words(words: str) -> Q:
    code = words.upper()
    return (
        Q(asset=code)
        | Q(in_asset=code)
        | Q(out_asset=code)
        | Q(account__name__icontains=words)
        | Q(external_id__startswith=words)
        | Q(tx_hash__startswith=words)
        | Q(note__icontains=words)
        | Q(source__icontains=words)
    )


def _slice(rows: TransactionQuerySet, wish: LedgerWish, limit: int) -> tuple[list[Transaction], str, str]:
    """Return one page with the cursors around it; a cursor that makes no sense is as if it were not there."""
    before, after = _read(wish.before), _read(wish.after)
    if after:
        found = list(rows.filter(_beyond(after, "gt")).order_by("at", "sequence", "place")[: limit + 1])
        more, found = len(found) > limit, found[:limit][::-1]
        return found, _cursor(found[:1]) if more else "", _cursor(found[-1:])
    found = list((rows.filter(_beyond(before, "lt")) if before else rows).newest_first()[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    return found, _cursor(found[:1]) if before else "", _cursor(found[-1:]) if more else ""


def _beyond(mark: tuple[datetime, int, UUID], way: str) -> Q:
    at, sequence, place = mark
    return (
        Q(**{f"at__{way}": at})
        | Q(at=at, **{f"sequence__{way}": sequence})
        | Q(at=at, sequence=sequence, **{f"place__{way}": place})
    )


def _cursor(rows: Sequence[Transaction]) -> str:
    return "".join(f"{(row.at - _EPOCH) // _MICROSECOND}.{row.sequence}.{row.place.hex}" for row in rows)


def _read(cursor: str) -> tuple[datetime, int, UUID] | None:
    try:
        at, sequence, place = cursor.split(".")
        return _EPOCH + int(at) * _MICROSECOND, int(sequence), UUID(place)
    except (ValueError, OverflowError):
        return None
