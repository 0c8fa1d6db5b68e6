"""What a venue tells, as values: rows, pages, balances, rights, and what they mean to the ledger. Pure."""
