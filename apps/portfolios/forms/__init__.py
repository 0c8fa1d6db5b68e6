"""Forms of the pages of the ledger: they parse, the actions decide."""

from apps.portfolios.forms.entry import EntryForm
from apps.portfolios.forms.templates import GROUPS, TEMPLATES, Template, template_for
from apps.portfolios.forms.wishes import LedgerWishForm

__all__ = ["GROUPS", "TEMPLATES", "EntryForm", "LedgerWishForm", "Template", "template_for"]
