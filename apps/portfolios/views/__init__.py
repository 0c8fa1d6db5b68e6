"""Pages of the ledger."""

from apps.portfolios.views.chosen import choose
from apps.portfolios.views.entry import correct_transaction, new_transaction
from apps.portfolios.views.freezing import accept_year, freeze_year, unlock_year
from apps.portfolios.views.holding import find, holding, holding_chart
from apps.portfolios.views.import_templates import (
    delete_import_template,
    import_template,
    import_templates,
    keep_import,
    look,
)
from apps.portfolios.views.imports import commit, import_detail, imports, undo
from apps.portfolios.views.mending import mend
from apps.portfolios.views.overview import history, overview, performance
from apps.portfolios.views.repair import reconciliation
from apps.portfolios.views.selling import sell
from apps.portfolios.views.settings import create, delete, rename, settings
from apps.portfolios.views.sharing import revoke_share, shared, sharing
from apps.portfolios.views.tax import tax, tax_differences, tax_file, tax_lab, tax_year_end
from apps.portfolios.views.transactions import reverse_transaction, transaction, transactions
from apps.portfolios.views.transfers import answer, match, transfers, unmatch, withdraw

__all__ = [
    "answer",
    "withdraw",
    "accept_year",
    "freeze_year",
    "sell",
    "tax_differences",
    "tax_year_end",
    "unlock_year",
    "choose",
    "commit",
    "correct_transaction",
    "create",
    "delete",
    "find",
    "history",
    "holding",
    "holding_chart",
    "import_detail",
    "delete_import_template",
    "import_template",
    "import_templates",
    "keep_import",
    "look",
    "imports",
    "mend",
    "new_transaction",
    "overview",
    "performance",
    "reconciliation",
    "rename",
    "reverse_transaction",
    "revoke_share",
    "settings",
    "shared",
    "sharing",
    "tax",
    "tax_file",
    "tax_lab",
    "transaction",
    "transactions",
    "transfers",
    "match",
    "unmatch",
    "undo",
]
