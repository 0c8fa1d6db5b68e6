"""Runs the whole product on one machine: ordered start, readiness, back-off restart, nothing left behind.

Standard library only: it lives as long as the product does and must stay small and hard to break.
"""
