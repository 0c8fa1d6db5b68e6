"""What readers of the ledger ask for in an address; what makes no sense is as if it were not there."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from django import forms

from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.queries.ledger_pages import LedgerWish


class LedgerWishForm(forms.Form):
    """Words, filters and cursor of the list of transactions."""

    words = forms.CharField(required=False, max_length=80)
    type = forms.ChoiceField(required=False, choices=[(one.value, one.value) for one in EntryType])
    account = forms.UUIDField(required=False)
    asset = forms.CharField(required=False, max_length=32)
    start = forms.DateField(required=False)
    end = forms.DateField(required=False)
    batch = forms.UUIDField(required=False)
    reversed = forms.BooleanField(required=False)
    before = forms.CharField(required=False, max_length=90)
    after = forms.CharField(required=False, max_length=90)

    def __init__(self, *args: Any, zone: tzinfo = UTC, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        self.zone = zone

    def wish(self) -> LedgerWish:
        """Return what the reader asked for."""
        self.is_valid()
        asked = self.cleaned_data
        start, end = asked.get("start"), asked.get("end")
        return LedgerWish(
            words=asked.get("words", "").strip(),
            type=asked.get("type", ""),
            account=asked.get("account"),
            asset=asked.get("asset", "").strip().upper(),
            start=datetime.combine(start, time.min, self.zone) if start else None,
            end=datetime.combine(end + timedelta(days=1), time.min, self.zone) if end else None,
            batch=asked.get("batch"),
            reversed=bool(asked.get("reversed")),
            before=asked.get("before", ""),
            after=asked.get("after", ""),
        )
