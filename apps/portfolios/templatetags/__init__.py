"""Template tags: how the ledger is written for people (`ledger`)."""
