"""News and its tone."""
