"""Connections to exchanges, read-only; a source of ledger entries."""
