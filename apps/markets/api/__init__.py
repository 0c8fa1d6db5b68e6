"""REST of the markets, split by topic."""
