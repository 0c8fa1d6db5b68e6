"""Tables of the ledger."""

from apps.portfolios.models.booked import BookedPart, BookedResult, Holding, PortfolioValue
from apps.portfolios.models.imports import FileImport
from apps.portfolios.models.matching import PartedPair, TransferArrival, TransferMatch
from apps.portfolios.models.observed import ObservedBalance, SourceGap
from apps.portfolios.models.portfolios import (
    Account,
    AccountKind,
    Batch,
    BatchKind,
    BatchState,
    PolicyPeriod,
    Portfolio,
    PortfolioQuerySet,
)
from apps.portfolios.models.transactions import Transaction, TransactionQuerySet, Valuation, ValueState

__all__ = [
    "Account",
    "AccountKind",
    "Batch",
    "BatchKind",
    "BatchState",
    "BookedPart",
    "BookedResult",
    "FileImport",
    "Holding",
    "ObservedBalance",
    "PartedPair",
    "PolicyPeriod",
    "Portfolio",
    "PortfolioQuerySet",
    "PortfolioValue",
    "SourceGap",
    "Transaction",
    "TransactionQuerySet",
    "TransferArrival",
    "TransferMatch",
    "Valuation",
    "ValueState",
]
