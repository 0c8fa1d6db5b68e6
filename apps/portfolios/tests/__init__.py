"""Tests of the portfolios."""
