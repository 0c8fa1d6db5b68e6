"""Walks through the whole product, end to end."""
