"""What readers of the ledger ask for in an address; what makes no sense is as if it were not there."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Final
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _

from apps.portfolios.domain.addresses import Whose
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.queries.ledger_pages import LedgerWish

SPANS: Final = {"30d": 30, "90d": 90, "1y": 365, "all": None}


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


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when on something is measured, and against what."""

    span: str
    start: datetime | None
    benchmarks: tuple[str, ...]

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Return the stretches one can choose, with their words."""
        return (("30d", _("30D")), ("90d", _("90D")), ("ytd", _("YTD")), ("1y", _("1Y")), ("all", _("All")))


class StretchForm(forms.Form):
    """How far back performance is measured."""

    span = forms.ChoiceField(required=False, choices=[(one, one) for one in (*SPANS, "ytd")])

    def wish(self, *, now: datetime) -> Stretch:
        """Return what the reader asked for; everything unless they said otherwise."""
        self.is_valid()
        span = self.cleaned_data.get("span") or "all"
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        days = SPANS.get(span)
        start = midnight.replace(month=1, day=1) if span == "ytd" else None
        if days is not None:
            start = midnight - timedelta(days=days)
        return Stretch(span, start, ("BTC", "ETH", "BTC+ETH"))


class AnswerForm(forms.Form):
    """What an address is, and which account it belongs to if it is one's own."""

    address = forms.CharField(max_length=200)
    answer = forms.ChoiceField(choices=[(one.value, one.value) for one in Whose])
    account = forms.CharField(required=False, max_length=80)


class MatchForm(forms.Form):
    """Which transfer left, and which ones it arrived as, with spaces between their ids."""

    out = forms.UUIDField()
    arrived = forms.CharField(required=False, max_length=1_000)

    def clean_arrived(self) -> list[UUID]:
        """Return the ids."""
        try:
            return [UUID(text) for text in str(self.cleaned_data["arrived"]).split()]
        except ValueError as error:
            raise forms.ValidationError(_("These are not ids.")) from error
