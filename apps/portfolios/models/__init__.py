"""Tables of the ledger."""

from apps.portfolios.models.booked import BookedPart, BookedResult, Holding, PortfolioValue
from apps.portfolios.models.checkpoints import BookedLots, Checkpoint, LedgerChange
from apps.portfolios.models.frozen import FrozenCheck, FrozenEnd, FrozenYear
from apps.portfolios.models.import_templates import ImportTemplate
from apps.portfolios.models.imports import FileImport, ImportVerb, ImportWork
from apps.portfolios.models.matching import AddressAnswer, PartedPair, TransferArrival, TransferMatch
from apps.portfolios.models.observed import ObservedBalance, SourceGap
from apps.portfolios.models.past import HistoryBlock, HistoryCourse
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
from apps.portfolios.models.shares import ShareLink, ShareLinkQuerySet
from apps.portfolios.models.transactions import Transaction, TransactionQuerySet, Valuation, ValueState

__all__ = [
    "Account",
    "AccountKind",
    "AddressAnswer",
    "Batch",
    "BatchKind",
    "BatchState",
    "BookedLots",
    "BookedPart",
    "BookedResult",
    "Checkpoint",
    "FileImport",
    "FrozenCheck",
    "FrozenEnd",
    "FrozenYear",
    "ImportTemplate",
    "ImportVerb",
    "ImportWork",
    "HistoryBlock",
    "HistoryCourse",
    "Holding",
    "LedgerChange",
    "ObservedBalance",
    "PartedPair",
    "PolicyPeriod",
    "Portfolio",
    "PortfolioQuerySet",
    "PortfolioValue",
    "ShareLink",
    "ShareLinkQuerySet",
    "SourceGap",
    "Transaction",
    "TransactionQuerySet",
    "TransferArrival",
    "TransferMatch",
    "Valuation",
    "ValueState",
]
