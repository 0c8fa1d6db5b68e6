"""A link to be made: what it opens, how much it shows, for how long."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.portfolios.domain.sharing import MOST_DAYS, USUAL_DAYS, ShareContent, SharePurpose

_PORTFOLIO: Final = "portfolio"


class ShareForm(forms.Form):
    """What somebody is to see."""

    opens = forms.ChoiceField(label=_("What it opens"))
    shows = forms.ChoiceField(
        label=_("How much it shows"),
        choices=[
            (ShareContent.PERCENTAGES.value, _("Percentages only: no amount, no value, no name of an account")),
            (
                ShareContent.FULL.value,
                _("Everything, amounts included, also while you hide amounts on your own screen"),
            ),
        ],
        initial=ShareContent.PERCENTAGES.value,
        widget=forms.RadioSelect,
    )
    days = forms.IntegerField(label=_("Works for"), min_value=1, max_value=MOST_DAYS, initial=USUAL_DAYS)
    name = forms.CharField(
        label=_("For whom"),
        max_length=80,
        required=False,
        help_text=_("Seen only by you, such as the name of your tax advisor."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, years: tuple[int, ...], **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        field = self.fields["opens"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                (_PORTFOLIO, _("The portfolio: what it is made of and how it did")),
                *((str(year), _("Tax year %(year)d") % {"year": year}) for year in years),
            ]

    @property
    def purpose(self) -> SharePurpose:
        """Return what the link opens."""
        return SharePurpose.PORTFOLIO if self.cleaned_data["opens"] == _PORTFOLIO else SharePurpose.TAX_YEAR

    @property
    def year(self) -> int | None:
        """Return the year that it opens, if it opens one."""
        return None if self.purpose is SharePurpose.PORTFOLIO else int(self.cleaned_data["opens"])
