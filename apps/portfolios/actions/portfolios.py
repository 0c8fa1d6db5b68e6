"""Portfolios and accounts: made, named, chosen and removed by their owner alone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import RestrictedError
from django.utils.translation import gettext as _

from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.core.events import publish
from apps.portfolios.domain.drafts import OUTSIDE
from apps.portfolios.domain.names import UnfitNameError, name_of
from apps.portfolios.events import EntriesPosted
from apps.portfolios.models import (
    Account,
    AccountKind,
    LedgerChange,
    ObservedBalance,
    Portfolio,
    SourceGap,
    Transaction,
)
from apps.portfolios.models.portfolios import MONEY_DEFAULT

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_PORTFOLIOS: Final = 50
MOST_ACCOUNTS: Final = 500


class TooManyPortfoliosError(ConflictError):
    """The person keeps as many portfolios as they can."""

    code = "too_many_portfolios"
    title = "Too many portfolios"
    default_detail = f"You can keep {MOST_PORTFOLIOS} portfolios. Delete one that you no longer need."


class TooManyAccountsError(ConflictError):
    """The portfolio has as many accounts as it can."""

    code = "too_many_accounts"
    title = "Too many accounts"
    default_detail = f"A portfolio can have {MOST_ACCOUNTS} accounts. Remove one that is empty."


class DefaultPortfolioError(ConflictError):
    """The default portfolio stays."""

    code = "default_portfolio_stays"
    title = "This is your default portfolio"
    default_detail = "Make another portfolio the default one first; then this one can be deleted."


class AccountNameTakenError(ConflictError):
    """The portfolio has an account of that name already."""

    code = "account_name_taken"
    title = "There is an account of that name"
    default_detail = "Choose another name, or use the account that has it."


class AccountInUseError(ConflictError):
    """Transactions name the account."""

    code = "account_in_use"
    title = "The account is in use"
    default_detail = "Transactions name this account, and the ledger keeps them. Rename the account instead."


class CurrencyFixedError(ConflictError):
    """The money of account cannot change while values are told in it."""

    code = "currency_is_fixed"
    title = "The money of account stays"
    default_detail = "Values of this ledger are told in its money of account. Make another portfolio for another one."


# --- Portfolios -------------------------------------------------------------------------------------------------------
def ensure_default_portfolio(*, user: User, now: datetime) -> Portfolio:
    """Return the person's default portfolio; make it on the first question, once, however many ask."""
    found = _default(user)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Portfolio.objects.create(owner=user, name=_("My portfolio"), is_default=True, created_at=now)
    except IntegrityError:
        return Portfolio.objects.for_user(user).get(is_default=True)


def create_portfolio(
    *, user: User, name: str, currency: str = MONEY_DEFAULT, is_default: bool = False, now: datetime
) -> Portfolio:
    """Make a portfolio, beside the default one or in its place."""
    name = _named(name)
    ensure_default_portfolio(user=user, now=now)
    with transaction.atomic():
        mine = Portfolio.objects.for_user(user).select_for_update().values_list("pk", flat=True)
        if len(mine) >= MOST_PORTFOLIOS:
            raise TooManyPortfoliosError
        if is_default:
            Portfolio.objects.for_user(user).filter(is_default=True).update(is_default=False)
        return Portfolio.objects.create(owner=user, name=name, currency=currency, is_default=is_default, created_at=now)


def change_portfolio(
    *,
    user: User,
    portfolio_id: UUID,
    name: str | None = None,
    currency: str | None = None,
    is_default: bool | None = None,
) -> Portfolio:
    """Rename a portfolio, make it the default one, or change its money of account while it is empty."""
    with transaction.atomic():
        row = locked_portfolio(user=user, portfolio_id=portfolio_id)
        row.name = row.name if name is None else _named(name)
        if currency and currency != row.currency:
            if Transaction.objects.filter(portfolio=row).exists():
                raise CurrencyFixedError
            row.currency = currency
            row.version += 1
        if is_default and not row.is_default:
            Portfolio.objects.for_user(user).filter(is_default=True).update(is_default=False)
            row.is_default = True
        row.save(update_fields=["name", "currency", "is_default", "version"])
        return row


def delete_portfolio(*, user: User, portfolio_id: UUID) -> None:
    """Delete a portfolio with all that is in it; the default one stays."""
    with transaction.atomic():
        row = locked_portfolio(user=user, portfolio_id=portfolio_id)
        if row.is_default:
            raise DefaultPortfolioError
        row.delete()


def locked_portfolio(*, user: User, portfolio_id: UUID) -> Portfolio:
    """Lock one of the person's portfolios; another's does not exist for them."""
    row = Portfolio.objects.for_user(user).select_for_update().filter(pk=portfolio_id).first()
    if row is None:
        raise NotFoundError
    return row


def ledger_changed(*, portfolio: Portfolio, since: datetime | None = None) -> None:
    """Note under the portfolio's lock that what is booked has changed, from a moment on or from the beginning."""
    portfolio.version += 1
    portfolio.save(update_fields=["version"])
    if since is not None:
        LedgerChange.objects.create(portfolio=portfolio, version=portfolio.version, since=since)
    publish(EntriesPosted(portfolio_id=portfolio.pk, version=portfolio.version))


def _named(text: str) -> str:
    """Return a name in its one spelling, or refuse it."""
    try:
        name = name_of(text)
    except UnfitNameError as error:
        raise InvalidError(problems=[FieldProblem("name", error.code, f"The name {error.message}")]) from error
    if not name:
        raise InvalidError(problems=[FieldProblem("name", "blank", _("Give it a name."))])
    return name


def _default(user: User) -> Portfolio | None:
    return Portfolio.objects.for_user(user).filter(is_default=True).first()


# --- Accounts ---------------------------------------------------------------------------------------------------------
def create_account(
    *,
    portfolio: Portfolio,
    name: str,
    kind: AccountKind = AccountKind.MANUAL,
    exchange: str = "",
    now: datetime,
) -> Account:
    """Make an account in a portfolio."""
    name = _named(name)
    with transaction.atomic():
        Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        if Account.objects.filter(portfolio=portfolio).count() >= MOST_ACCOUNTS:
            raise TooManyAccountsError
        _refuse_taken(portfolio, name)
        return Account.objects.create(portfolio=portfolio, name=name, kind=kind, exchange=exchange, created_at=now)


def create_exchange_account(*, portfolio: Portfolio, name: str, exchange: str, now: datetime) -> Account:
    """Make an account that stands for one at an exchange."""
    return create_account(portfolio=portfolio, name=name, kind=AccountKind.EXCHANGE, exchange=exchange, now=now)


def change_account(
    *,
    portfolio: Portfolio,
    account_id: UUID,
    name: str | None = None,
    kind: AccountKind | None = None,
    exchange: str | None = None,
) -> Account:
    """Rename an account, or say what it is; its transactions follow."""
    name = None if name is None else _named(name)
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        row = _own(portfolio, account_id)
        if name and name != row.name:
            _refuse_taken(portfolio, name)
            row.name = name
            ledger_changed(portfolio=held)
        row.kind = kind or row.kind
        row.exchange = row.exchange if exchange is None else exchange
        row.save(update_fields=["name", "kind", "exchange"])
        return row


def delete_account(*, portfolio: Portfolio, account_id: UUID) -> None:
    """Remove an account that no transaction names."""
    with transaction.atomic():
        Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        row = _own(portfolio, account_id)
        if row.transactions.exists() or row.sent.exists() or row.arrived.exists():
            raise AccountInUseError
        ObservedBalance.objects.filter(account=row).delete()
        SourceGap.objects.filter(account=row).delete()
        try:
            row.delete()
        except RestrictedError as error:  # a connection fills it
            raise AccountInUseError from error


def _own(portfolio: Portfolio, account_id: UUID) -> Account:
    row = Account.objects.select_for_update().filter(portfolio=portfolio, pk=account_id).first()
    if row is None:
        raise NotFoundError
    return row


def _refuse_taken(portfolio: Portfolio, name: str) -> None:
    if name == OUTSIDE or Account.objects.filter(portfolio=portfolio, name=name).exists():
        problem = FieldProblem("name", "taken", "There is an account of that name.")
        raise AccountNameTakenError(problems=[problem])
