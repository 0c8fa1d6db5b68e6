"""REST of the accounts, split by topic."""
