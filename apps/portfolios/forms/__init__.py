"""Forms of the pages of the ledger: they parse, the actions decide."""

from apps.portfolios.forms.entry import EntryForm
from apps.portfolios.forms.settings import NewPortfolioForm, PolicyForm, PortfolioForm
from apps.portfolios.forms.templates import GROUPS, TEMPLATES, Template, template_for
from apps.portfolios.forms.wishes import BENCHMARKS, LedgerWishForm, StretchForm

__all__ = [
    "BENCHMARKS",
    "GROUPS",
    "TEMPLATES",
    "EntryForm",
    "LedgerWishForm",
    "NewPortfolioForm",
    "PolicyForm",
    "PortfolioForm",
    "StretchForm",
    "Template",
    "template_for",
]
