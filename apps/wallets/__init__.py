"""Watched addresses; a source of ledger entries."""
