"""Verbs of the ledger."""

from apps.portfolios.actions.booking import book_behind, book_one, ensure_booked, recompute
from apps.portfolios.actions.corrections import (
    AlreadyReversedError,
    NotManualError,
    NotUndoableError,
    replace_transaction,
    reverse_transaction,
    undo_batch,
)
from apps.portfolios.actions.imports import (
    BadLinesError,
    ImportNotOpenError,
    UnreadableFileError,
    commit_import,
    preview_import,
    undo_import,
)
from apps.portfolios.actions.matching import NotMatchedError, match_certain, match_transfer, unmatch_transfer
from apps.portfolios.actions.observing import (
    TooManyBalancesError,
    close_gap,
    record_observed_balances,
    report_gap,
)
from apps.portfolios.actions.past import read_history, read_performance, read_performances
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
from apps.portfolios.actions.pricing import value_entries
from apps.portfolios.actions.reading import (
    HoldingsAnswer,
    read_completeness,
    read_gains,
    read_holdings,
    read_lots,
    refresh,
)
from apps.portfolios.actions.valuing import revalue, revalue_watched

__all__ = [
    "AccountInUseError",
    "AccountNameTakenError",
    "AlreadyReversedError",
    "BadLinesError",
    "CurrencyFixedError",
    "DefaultPortfolioError",
    "HoldingsAnswer",
    "ImportNotOpenError",
    "NotManualError",
    "NotMatchedError",
    "NotUndoableError",
    "Posted",
    "Refusal",
    "TooManyAccountsError",
    "TooManyBalancesError",
    "TooManyDraftsError",
    "TooManyPortfoliosError",
    "UnreadableFileError",
    "book_behind",
    "book_one",
    "change_account",
    "close_gap",
    "change_portfolio",
    "commit_import",
    "create_account",
    "create_portfolio",
    "delete_account",
    "delete_portfolio",
    "ensure_booked",
    "ensure_default_portfolio",
    "match_certain",
    "match_transfer",
    "post_entries",
    "preview_import",
    "read_completeness",
    "read_gains",
    "read_history",
    "read_holdings",
    "read_lots",
    "read_performance",
    "read_performances",
    "recompute",
    "record_observed_balances",
    "report_gap",
    "refresh",
    "replace_transaction",
    "revalue",
    "revalue_watched",
    "reverse_transaction",
    "undo_batch",
    "unmatch_transfer",
    "undo_import",
    "value_entries",
]
