"""Verbs of the exchanges."""
