"""What somebody thinks of selling."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.portfolios.domain.drafts import LONGEST_ACCOUNT, LONGEST_ASSET
from apps.portfolios.forms.entry import ExactField


class AmountToSellField(ExactField):
    """How much would be sold; there has to be a number."""

    def __init__(self, *, label: Any) -> None:  # noqa: ANN401 - a lazy text or a plain one
        super().__init__(label=label)
        self.required = True


class SaleForm(forms.Form):
    """Which asset, how much of it, at which price and fee, and out of which account."""

    asset = forms.CharField(label=_("Asset"), max_length=LONGEST_ASSET)
    amount = AmountToSellField(label=_("Amount"))
    price = ExactField(label=_("Price of one"))
    fee = ExactField(label=_("Fee"))
    account = forms.CharField(label=_("Account"), max_length=LONGEST_ACCOUNT, required=False)

    def accept(self, problems: Iterable[tuple[str, str]]) -> None:
        """Take in what the ledger says against it."""
        for field, message in problems:
            self.add_error(field if field in self.fields else None, message)
