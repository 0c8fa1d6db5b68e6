"""Questions to the ledger."""

from apps.portfolios.queries.addresses import answer_of, answer_row, answers_of, asked_addresses, asked_row
from apps.portfolios.queries.allocation import Allocation, AllocationBy, AllocationPart, allocation
from apps.portfolios.queries.batches import batch_of, batches_of, effect_of_batch
from apps.portfolios.queries.booking import booking_of
from apps.portfolios.queries.completeness import unmatched_legs
from apps.portfolios.queries.doubts import OTHER_MONEY, openings_without_pool, other_money
from apps.portfolios.queries.export import export_beancount, export_csv, export_json
from apps.portfolios.queries.history import HistoryAnswer, HistoryPoint, Interval, Lived, lived, portfolio_history
from apps.portfolios.queries.holdings import holdings_at
from apps.portfolios.queries.imports import import_of, imports_of
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
from apps.portfolios.queries.matching import (
    legs_to_match,
    match_row,
    matches_of,
    proposals_for,
    unmatched_rows,
)
from apps.portfolios.queries.performance import Contribution, PerformanceAnswer, portfolio_performances
from apps.portfolios.queries.places import placed_drafts
from apps.portfolios.queries.portfolios import (
    account_of,
    accounts_of,
    checked_policy_of,
    checked_timeline_of,
    policy_asked_for,
    policy_of,
    portfolio_of,
    portfolios_of,
)
from apps.portfolios.queries.reconciliation import Balance, reconciliation

__all__ = [
    "Balance",
    "Allocation",
    "AllocationBy",
    "AllocationPart",
    "Contribution",
    "HistoryAnswer",
    "HistoryPoint",
    "Interval",
    "LedgerFilter",
    "OTHER_MONEY",
    "openings_without_pool",
    "other_money",
    "placed_drafts",
    "Lived",
    "PerformanceAnswer",
    "account_of",
    "answer_of",
    "answer_row",
    "answers_of",
    "asked_addresses",
    "asked_row",
    "accounts_of",
    "allocation",
    "batch_of",
    "batches_of",
    "booking_of",
    "checked_policy_of",
    "checked_timeline_of",
    "draft_of_row",
    "effect_of_batch",
    "entries_of",
    "entry_of_row",
    "export_beancount",
    "export_csv",
    "export_json",
    "holdings_at",
    "import_of",
    "imports_of",
    "ledger_entries",
    "legs_to_match",
    "lived",
    "match_row",
    "matches_of",
    "policy_asked_for",
    "policy_of",
    "portable_row",
    "portfolio_history",
    "portfolio_of",
    "portfolio_performances",
    "portfolios_of",
    "proposals_for",
    "reconciliation",
    "transaction_of",
    "transactions",
    "unmatched_legs",
    "unmatched_rows",
]
