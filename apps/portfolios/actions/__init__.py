"""Verbs of the ledger."""

from apps.portfolios.actions.corrections import (
    AlreadyReversedError,
    NotManualError,
    NotUndoableError,
    replace_transaction,
    reverse_transaction,
    undo_batch,
)
from apps.portfolios.actions.portfolios import (
    AccountInUseError,
    AccountNameTakenError,
    CurrencyFixedError,
    DefaultPortfolioError,
    TooManyAccountsError,
    TooManyPortfoliosError,
    change_account,
    change_portfolio,
    create_account,
    create_portfolio,
    delete_account,
    delete_portfolio,
    ensure_default_portfolio,
)
from apps.portfolios.actions.posting import Posted, Refusal, TooManyDraftsError, post_entries

__all__ = [
    "AccountInUseError",
    "AccountNameTakenError",
    "AlreadyReversedError",
    "CurrencyFixedError",
    "DefaultPortfolioError",
    "NotManualError",
    "NotUndoableError",
    "Posted",
    "Refusal",
    "TooManyAccountsError",
    "TooManyDraftsError",
    "TooManyPortfoliosError",
    "change_account",
    "change_portfolio",
    "create_account",
    "create_portfolio",
    "delete_account",
    "delete_portfolio",
    "ensure_default_portfolio",
    "post_entries",
    "replace_transaction",
    "reverse_transaction",
    "undo_batch",
]
