"""What readers of the market pages ask for and write."""

from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.markets.domain.instruments import VENUES, InstrumentName, InstrumentNameError
from apps.markets.domain.market_table import COLUMNS, MarketWish


class MarketWishForm(forms.Form):
    """Words, filters, order and page of the table; what makes no sense is as if it were not there."""

    words = forms.CharField(required=False, max_length=60)
    venue = forms.ChoiceField(required=False, choices=[(venue, venue) for venue in VENUES])
    quote = forms.CharField(required=False, max_length=32)
    sort = forms.ChoiceField(required=False, choices=[(f"{way}{name}", name) for name in COLUMNS for way in ("", "-")])
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)

    def wish(self) -> MarketWish:
        """Return what the reader asked for."""
        self.is_valid()
        asked = self.cleaned_data
        sort = asked.get("sort") or f"-{MarketWish().sort}"
        return MarketWish(
            words=asked.get("words", ""),
            venue=asked.get("venue", ""),
            quote=asked.get("quote", ""),
            sort=sort.removeprefix("-"),
            descending=sort.startswith("-"),
            page=asked.get("page") or 1,
        )


class WatchlistForm(forms.Form):
    """The name of a watchlist."""

    name = forms.CharField(label=_("Name"), max_length=80)


class NoteForm(forms.Form):
    """A note on an item of a watchlist."""

    note = forms.CharField(label=_("Note"), max_length=500, required=False)


class OrderForm(forms.Form):
    """The ids of a list's items in their new order, with spaces between them."""

    ids = forms.CharField(max_length=20_000)

    def clean_ids(self) -> list[UUID]:
        """Return the ids."""
        try:
            return [UUID(text) for text in str(self.cleaned_data["ids"]).split()]
        except ValueError as error:
            raise forms.ValidationError(_("These are not ids.")) from error


class WatchForm(forms.Form):
    """A press of the star: which market, and on which list; neither list nor name is the first list."""

    instrument = forms.CharField(max_length=82)
    list = forms.UUIDField(required=False)
    new = forms.CharField(required=False, max_length=80)

    def clean_instrument(self) -> InstrumentName:
        """Return the name of the market."""
        try:
            return InstrumentName.parse(str(self.cleaned_data["instrument"]))
        except InstrumentNameError as error:
            raise forms.ValidationError(str(error)) from error
