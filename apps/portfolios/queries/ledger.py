"""The ledger as it stands: its transactions for readers, its entries for booking."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.core.api.times import iso_z
from apps.core.errors import NotFoundError
from apps.portfolios.domain.drafts import AMOUNTS, NAMES, OUTSIDE, REMARKS, EntryDraft
from apps.portfolios.domain.matching import merged
from apps.portfolios.domain.transactions import Entry, EntryType, entry_as_portable, microseconds
from apps.portfolios.models import Account, Portfolio, Transaction, TransactionQuerySet, TransferArrival, TransferMatch

#: In the order of the fields of an entry.
_COLUMNS: Final = (
    *("id", "at", "type", "account_id", "asset", "amount", "price", "value", "fee", "fee_asset", "fee_value", "fee_on"),
    *("out_asset", "out_amount", "in_asset", "in_amount", "kind", "received", "from_account_id", "to_account_id"),
    *("ratio", "quote", "valuation__value", "valuation__fee_value"),
)
_FIRST_TOLD: Final = _COLUMNS.index("asset")
_FIRST_ACCOUNT: Final = _COLUMNS.index("from_account_id")
_VALUE: Final = _COLUMNS.index("value")
_FEE: Final = _COLUMNS.index("fee")
_RATIO: Final = _COLUMNS.index("ratio")
_QUOTE: Final = _COLUMNS.index("quote")
_AT_ONCE: Final = 5_000
_ZERO: Final = Decimal(0)
_VALUED: Final = frozenset(
    {EntryType.BUY, EntryType.SELL, EntryType.TRADE, EntryType.INCOME, EntryType.SPEND, EntryType.FEE}
)


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which transactions are wanted; what is empty does not choose."""

    account: str = ""
    asset: str = ""
    type: str = ""
    start: datetime | None = None
    end: datetime | None = None
    batch: UUID | None = None


def transactions(*, portfolio: Portfolio, wanted: LedgerFilter = LedgerFilter()) -> TransactionQuerySet:
    """Return the standing transactions of a portfolio that are wanted, newest first."""
    rows = Transaction.objects.filter(portfolio=portfolio).standing()
    if wanted.account:
        named = Account.objects.filter(portfolio=portfolio).filter(_called(wanted.account)).values("pk")
        rows = rows.filter(Q(account__in=named) | Q(from_account__in=named) | Q(to_account__in=named))
    if wanted.asset:
        rows = rows.filter(naming(assets=(wanted.asset,)))
    if wanted.type:
        rows = rows.filter(type=wanted.type)
    if wanted.start is not None:
        rows = rows.filter(at__gte=wanted.start)
    if wanted.end is not None:
        rows = rows.filter(at__lt=wanted.end)
    if wanted.batch is not None:
        rows = rows.filter(batch=wanted.batch)
    return rows.select_related("account", "from_account", "to_account").newest_first()


def naming(*, assets: Collection[str]) -> Q:
    """Return the condition that a transaction names one of the assets, in whatever part."""
    return Q(asset__in=assets) | Q(out_asset__in=assets) | Q(in_asset__in=assets) | Q(fee_asset__in=assets)


def _called(account: str) -> Q:
    try:
        return Q(name=account) | Q(pk=UUID(account))
    except ValueError:
        return Q(name=account)


def transaction_of(*, user: User, portfolio_id: UUID, transaction_id: UUID) -> Transaction:
    """Return a transaction of the person's, standing or not, or raise `NotFoundError`."""
    rows = Transaction.objects.for_user(user).filter(portfolio=portfolio_id)
    found = rows.select_related("account", "from_account", "to_account", "batch").filter(pk=transaction_id).first()
    if found is None:
        raise NotFoundError
    return found


# --- As entries -------------------------------------------------------------------------------------------------------
def ledger_entries(
    *,
    portfolio: Portfolio,
    after: datetime | None = None,
    until: datetime | None = None,
    assets: Collection[str] = (),
) -> list[Entry]:
    """Return all that counts in the order of booking, between two moments, in the portfolio's money of account.

    `after` may tear no matched transfer. With `assets` only what names one of them. A value that neither the source
    nor a price has told is zero here; completeness says so.
    """
    rows = Transaction.objects.filter(portfolio=portfolio).standing().in_order()
    if assets:
        rows = rows.filter(naming(assets=assets))
    if after is not None:
        rows = rows.filter(at__gt=after)
    if until is not None:
        rows = rows.filter(at__lte=until)
    told = rows.values_list(*_COLUMNS).iterator(chunk_size=_AT_ONCE)
    entries = list(_entries(told, _account_names(portfolio), portfolio.currency))
    return merged(entries, _matches(portfolio, after))


def _matches(portfolio: Portfolio, after: datetime | None) -> dict[str, tuple[tuple[str, ...], Decimal | None]]:
    """Return for what left what it arrived as, and what the lost part was worth."""
    matches = _matched_after(portfolio, after)
    worth = dict(matches.values_list("pk", "fee_value"))
    if not worth:
        return {}
    outs = dict(matches.values_list("pk", "out_id"))
    arrived: defaultdict[UUID, list[str]] = defaultdict(list)
    rows = TransferArrival.objects.filter(match__in=matches).order_by("transaction")
    for match, one in rows.values_list("match_id", "transaction_id"):
        arrived[match].append(str(one))
    return {str(outs[match]): (tuple(ids), worth[match]) for match, ids in arrived.items()}


def _matched_after(portfolio: Portfolio, after: datetime | None) -> QuerySet[TransferMatch]:
    matches = TransferMatch.objects.filter(portfolio=portfolio)
    return matches if after is None else matches.filter(out__at__gt=after)


def matched_spans(*, portfolio: Portfolio, after: datetime | None = None) -> list[tuple[int, int]]:
    """Return from when to when the matched transfers took that left after a moment, in microseconds."""
    rows = TransferArrival.objects.filter(match__in=_matched_after(portfolio, after))
    told = rows.values_list("match__out__at", "transaction__at")
    return [(microseconds(min(left, came)), microseconds(max(left, came))) for left, came in told]


def told_entries(*, portfolio: Portfolio) -> Iterator[Entry]:
    """Yield all that counts in the order of booking, with values that were found; what is not known stays open."""
    for entry in ledger_entries(portfolio=portfolio):
        unknown: dict[str, Any] = {one: None for one in ("value", "fee_value") if getattr(entry, one) is _ZERO}
        yield replace(entry, **unknown) if unknown else entry


def entries_of(*, portfolio: Portfolio, rows: TransactionQuerySet) -> list[Entry]:
    """Return these transactions of a portfolio as entries, in the order of booking."""
    return list(_entries(rows.in_order().values_list(*_COLUMNS), _account_names(portfolio), portfolio.currency))


def _account_names(portfolio: Portfolio) -> dict[UUID, str]:
    return dict(Account.objects.filter(portfolio=portfolio).values_list("pk", "name"))


def _entries(rows: Iterable[tuple[Any, ...]], names: dict[UUID, str], money: str) -> Iterator[Entry]:
    types = {one.value: one for one in EntryType}
    own = {"", money}
    for row in rows:
        entry_type = types[row[2]]
        if entry_type is EntryType.TRANSFER or row[-1] is not None or row[-2] is not None or row[_QUOTE] not in own:
            yield _careful(row, entry_type, names, money)
            continue
        told = [value or None for value in row[_FIRST_TOLD:_FIRST_ACCOUNT]]  # an amount of zero is checked below
        fee, fee_asset, fee_value = row[_FEE], row[_FEE + 1], row[_FEE + 2]
        untold = row[_VALUE] is None and row[_VALUE - 1] is None and entry_type in _VALUED
        if untold or (fee and fee_value is None and fee_asset not in own) or _ZERO in row[_FIRST_TOLD:_FIRST_ACCOUNT]:
            yield _careful(row, entry_type, names, money)
            continue
        head = (str(row[0]), microseconds(row[1]), entry_type, names[row[3]])
        yield Entry(*head, *told, None, None, row[_RATIO], None)  # type: ignore[call-arg]  # as many as there are


def _careful(row: tuple[Any, ...], entry_type: EntryType, names: dict[UUID, str], money: str) -> Entry:
    """Return an entry that needs more than its own columns say."""
    told: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    at, account, sender, receiver = told["at"], told["account_id"], told["from_account_id"], told["to_account_id"]
    value, fee_value = told["valuation__value"], told["valuation__fee_value"]
    told = {name: told[name] for name in (*AMOUNTS, *NAMES)}
    _fill(told, entry_type, value=value, fee_value=fee_value, money=money)
    if entry_type is EntryType.TRANSFER:
        told["from_account"] = names.get(sender, OUTSIDE)
        told["to_account"] = names.get(receiver, OUTSIDE)
    return Entry(id=str(row[0]), at_us=microseconds(at), type=entry_type, account=names[account], **told)


def _fill(
    told: dict[str, Any], entry_type: EntryType, *, value: Decimal | None, fee_value: Decimal | None, money: str
) -> None:
    """Put found values where the source told none, or told them in another money; what is not found is zero."""
    for name in NAMES:
        told[name] = told[name] or None
    quote = told.pop("quote")
    if quote not in {None, money}:
        _convert(told, quote, value=value, fee_value=fee_value)
    elif value is not None:
        told["value"], told["price"] = value, None
    if entry_type in _VALUED and told["value"] is None and told["price"] is None:
        told["value"] = _ZERO
    takes_coin = told["fee"] and told["fee_asset"] not in {None, money}
    if told["fee_value"] is None and (takes_coin or entry_type is EntryType.TRANSFER):
        told["fee_value"] = fee_value or _ZERO


def _convert(told: dict[str, Any], quote: str, *, value: Decimal | None, fee_value: Decimal | None) -> None:
    """Take what was found for what the source told in another money."""
    told["value"], told["price"] = value, None
    if told["fee"] is not None and told["fee_asset"] in {None, quote}:
        told["fee"], told["fee_asset"], fee_value = fee_value or _ZERO, None, None
    told["fee_value"] = fee_value


# --- As they are shown ------------------------------------------------------------------------------------------------
def entry_of_row(*, row: Transaction) -> Entry:
    """Return a transaction as an entry, as it was told."""
    told = {name: getattr(row, name) for name in AMOUNTS}
    told |= {name: getattr(row, name) or None for name in NAMES}
    if row.type == EntryType.TRANSFER:
        told["from_account"] = row.from_account.name if row.from_account else OUTSIDE
        told["to_account"] = row.to_account.name if row.to_account else OUTSIDE
    kind = EntryType(row.type)
    return Entry(id=str(row.pk), at_us=microseconds(row.at), type=kind, account=row.account.name, **told)


def portable_row(*, row: Transaction) -> dict[str, object]:
    """Return a transaction in the portable format, with where it is from."""
    shown: dict[str, object] = dict(entry_as_portable(entry_of_row(row=row)))
    shown["account"] = row.account.name
    shown["external_id"], shown["source"], shown["batch"] = row.external_id, row.source, str(row.batch_id)
    shown["created_at"] = iso_z(row.created_at)
    shown |= {name: getattr(row, name) for name in REMARKS if getattr(row, name)}
    if row.sequence:
        shown["sequence"] = row.sequence
    shown["reversed_in"] = None if row.reversed_in_id is None else str(row.reversed_in_id)
    return shown


def draft_of_row(*, row: Transaction) -> EntryDraft:
    """Return a transaction as a draft of the same."""
    entry = entry_of_row(row=row)
    told: dict[str, Any] = {name: getattr(row, name) for name in (*AMOUNTS, *REMARKS)}
    told |= {name: getattr(row, name) or None for name in NAMES}
    return EntryDraft(
        at_us=entry.at_us,
        type=entry.type,
        source=row.source,
        account=entry.account,
        external_id=row.external_id,
        sequence=row.sequence,
        from_account=entry.from_account,
        to_account=entry.to_account,
        **told,
    )
