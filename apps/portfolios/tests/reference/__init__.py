"""A slow second opinion on booking, written from the contract's words alone and never from the engine."""

from apps.portfolios.tests.reference.report import book

__all__ = ["book"]
