"""Pages of the ledger."""

from apps.portfolios.views.chosen import choose
from apps.portfolios.views.entry import correct_transaction, new_transaction
from apps.portfolios.views.transactions import reverse_transaction, transaction, transactions

__all__ = [
    "choose",
    "correct_transaction",
    "new_transaction",
    "reverse_transaction",
    "transaction",
    "transactions",
]
