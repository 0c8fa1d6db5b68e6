"""The ledger and its value."""
