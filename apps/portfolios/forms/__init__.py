"""Forms of the pages of the ledger: they parse, the actions decide."""

from apps.portfolios.forms.entry import EntryForm
from apps.portfolios.forms.settings import NewPortfolioForm, PolicyForm, PortfolioForm
from apps.portfolios.forms.templates import GROUPS, TEMPLATES, Template, template_for
from apps.portfolios.forms.uploads import TemplateForm, UploadForm
from apps.portfolios.forms.wishes import AnswerForm, LedgerWishForm, MatchForm, StretchForm

__all__ = [
    "GROUPS",
    "TEMPLATES",
    "AnswerForm",
    "EntryForm",
    "LedgerWishForm",
    "MatchForm",
    "NewPortfolioForm",
    "PolicyForm",
    "PortfolioForm",
    "StretchForm",
    "Template",
    "TemplateForm",
    "UploadForm",
    "template_for",
]
