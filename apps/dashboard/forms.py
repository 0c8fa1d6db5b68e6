"""The sample form of the components page: every kind of field, some of them refused."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SampleForm(forms.Form):
    """Fields as the product has them."""

    coin = forms.ChoiceField(label=_("Coin"), choices=(("ETH", "Ethereum, ETH"), ("BTC", "Bitcoin, BTC")))
    quantity = forms.RegexField(
        r"^\d+(\.\d{1,30})?$",
        label=_("Quantity"),
        error_messages={"invalid": _("At most 30 digits after the point. Nothing was rounded.")},
    )
    password = forms.CharField(label=_("Password"), widget=forms.PasswordInput, required=False)
    note = forms.CharField(
        label=_("Note"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        help_text=_("Shown in the edit trail."),
    )
    method = forms.ChoiceField(
        label=_("Method"),
        widget=forms.RadioSelect,
        choices=(("fifo", "FIFO"), ("hifo", "HIFO"), ("average", _("Average"))),
    )
    code = forms.CharField(
        label=_("Code from your app"),
        max_length=6,
        min_length=6,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )
    fees = forms.BooleanField(label=_("Include fees"), required=False)
