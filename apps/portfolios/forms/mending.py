"""Which missing thing is to be mended, and how: what an address of the repair page says."""

from typing import Final

from django import forms

from apps.portfolios.domain.drafts import LONGEST_ACCOUNT, LONGEST_ASSET
from apps.portfolios.queries.mending import GapWish, What

_LONGEST_PAIR: Final = 1_000


class MendWishForm(forms.Form):
    """One missing thing, and the way in which somebody wants to mend it."""

    what = forms.ChoiceField(choices=[(one.value, one.value) for one in What])
    tx = forms.UUIDField(required=False)
    asset = forms.CharField(required=False, max_length=LONGEST_ASSET)
    account = forms.CharField(required=False, max_length=LONGEST_ACCOUNT)
    way = forms.CharField(required=False, max_length=20)
    pair = forms.CharField(required=False, max_length=_LONGEST_PAIR)

    def wish(self) -> GapWish | None:
        """Return what is asked for, nothing where it makes no sense."""
        if not self.is_valid():
            return None
        asked = self.cleaned_data
        return GapWish(What(asked["what"]), asked["tx"], asked["asset"], asked["account"])
