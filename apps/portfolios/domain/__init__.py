"""The ledger in plain Python: entries, booking, measures."""
