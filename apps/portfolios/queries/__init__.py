"""Questions to the ledger."""

from apps.portfolios.queries.batches import batch_of, batches_of, effect_of_batch
from apps.portfolios.queries.ledger import (
    LedgerFilter,
    draft_of_row,
    entries_of,
    entry_of_row,
    ledger_entries,
    portable_row,
    transaction_of,
    transactions,
)
from apps.portfolios.queries.portfolios import account_of, accounts_of, policy_of, portfolio_of, portfolios_of

__all__ = [
    "LedgerFilter",
    "account_of",
    "accounts_of",
    "batch_of",
    "batches_of",
    "draft_of_row",
    "effect_of_batch",
    "entries_of",
    "entry_of_row",
    "ledger_entries",
    "policy_of",
    "portable_row",
    "portfolio_of",
    "portfolios_of",
    "transaction_of",
    "transactions",
]
