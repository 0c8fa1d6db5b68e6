"""The form of one transaction: exact text in, one entry of the portable format out."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import money
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.forms.templates import FEES, GROUPS, TEMPLATES, Template

ASSET_SYNTAX: Final = r"^\S{1,32}$"
INCOME_KINDS: Final = (
    ("staking", gettext_lazy("Staking")),
    ("interest", gettext_lazy("Interest")),
    ("airdrop", gettext_lazy("Airdrop")),
    ("mining", gettext_lazy("Mining")),
    ("reward", gettext_lazy("Reward")),
    ("other", gettext_lazy("Other")),
)
SIDES: Final = (("in", gettext_lazy("the coin received")), ("out", gettext_lazy("the coin given")))
NOT_NEGATIVE: Final = ("value", "price", "fee", "fee_value", "received")


def as_typed(at: datetime, zone: tzinfo) -> str:
    """Return a moment as somebody types it in their zone; an hour that the clocks repeat is told by nothing in it."""
    local = at.astimezone(zone).replace(tzinfo=None, fold=0)
    return local.isoformat(timespec="seconds" if not local.microsecond else "microseconds")


class ExactField(forms.CharField):
    """An exact number typed as text; it is never rounded and never becomes a float."""

    is_one_of = False

    def __init__(self, *, label: Any) -> None:  # noqa: ANN401 - a lazy text or a plain one
        attributes = {"inputmode": "decimal", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(label=label, required=False, max_length=200, widget=forms.TextInput(attrs=attributes))

    def clean(self, value: object) -> Any:  # noqa: ANN401 - Django's signature
        """Return the number, or nothing where nothing was typed and something else may stand for it."""
        if self.is_one_of and not str(value or "").strip():
            return None
        text = str(super().clean(value) or "").strip().replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
        if not text:
            return None
        try:
            return money.parse_amount(text)
        except money.AmountError as error:
            raise forms.ValidationError(error.message, code=error.code) from error


class AssetField(forms.CharField):
    """The ticker of a coin, in capitals."""

    def __init__(self, *, label: Any) -> None:  # noqa: ANN401 - a lazy text or a plain one
        attributes = {
            "list": "known-assets",
            "autocomplete": "off",
            "spellcheck": "false",
            "autocapitalize": "characters",
        }
        super().__init__(label=label, required=False, max_length=32, widget=forms.TextInput(attrs=attributes))

    def clean(self, value: object) -> str:
        """Return the ticker in capitals."""
        return str(super().clean(value) or "").strip().upper()


class AccountField(forms.CharField):
    """The name of an account; a new name makes a new account."""

    def __init__(self, *, label: Any) -> None:  # noqa: ANN401 - a lazy text or a plain one
        attributes = {"list": "known-accounts", "autocomplete": "off"}
        super().__init__(label=label, required=False, max_length=80, widget=forms.TextInput(attrs=attributes))


class EntryForm(forms.Form):
    """One transaction typed by hand; which fields it has depends on what kind of thing happened."""

    template = forms.ChoiceField(
        choices=[(name, [(one.code, one.name) for one in group]) for name, group in GROUPS],
        widget=forms.RadioSelect,
        label=gettext_lazy("What happened"),
    )
    at = forms.CharField(
        label=gettext_lazy("When"),
        widget=forms.TextInput(attrs={"type": "datetime-local", "step": "any"}),
    )
    asset = AssetField(label=gettext_lazy("Coin"))
    amount = ExactField(label=gettext_lazy("Amount"))
    out_asset = AssetField(label=gettext_lazy("Coin given"))
    out_amount = ExactField(label=gettext_lazy("Amount given"))
    in_asset = AssetField(label=gettext_lazy("Coin received"))
    in_amount = ExactField(label=gettext_lazy("Amount received"))
    value = ExactField(label=gettext_lazy("Value"))
    price = ExactField(label=gettext_lazy("Price of one"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind of income"), choices=INCOME_KINDS, required=False)
    from_account = AccountField(label=gettext_lazy("From account"))
    to_account = AccountField(label=gettext_lazy("To account"))
    received = ExactField(label=gettext_lazy("Amount that arrived"))
    ratio = ExactField(label=gettext_lazy("New coins for one old one"))
    account = AccountField(label=gettext_lazy("Account"))
    fee = ExactField(label=gettext_lazy("Fee"))
    fee_asset = AssetField(label=gettext_lazy("Fee paid in"))
    fee_value = ExactField(label=gettext_lazy("What the fee was worth"))
    fee_on = forms.ChoiceField(label=gettext_lazy("The fee belongs to"), choices=SIDES, required=False)

    note = forms.CharField(label=gettext_lazy("Note"), max_length=500, required=False)

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - Django's signature
        zone: tzinfo,
        quote: str,
        stood: datetime | None = None,
        **options: Any,  # noqa: ANN401 - Django's signature
    ) -> None:
        super().__init__(*args, **options)
        self.zone, self.quote, self.stood = zone, quote, stood
        self.way = self._way()
        kept = {"template", "at", *self.way.fields}
        for name in [name for name in self.fields if name not in kept]:
            del self.fields[name]
        for name, label in self.way.labels.items():
            if name in self.fields:
                self.fields[name].label = str(label)
        for name, hint in self.way.hints.items():
            self.fields[name].help_text = str(hint)
        for name in (*self.way.required, *self.way.one_of):
            self.fields[name].required = True
        for name in self.way.one_of:
            self.fields[name].is_one_of = True  # type: ignore[attr-defined]  # these are exact fields
        self.order_fields(["template", "at", *self.way.fields])

    def _way(self) -> Template:
        asked = self.data.get("template") if self.is_bound else self.initial.get("template")
        return TEMPLATES.get(str(asked), TEMPLATES["buy"])

    def clean_at(self) -> datetime:
        """Return the moment; it was typed in the reader's zone, and one that was not touched stays to the second."""
        try:
            typed = datetime.fromisoformat(str(self.cleaned_data["at"]))
            if self.stood is not None and typed == datetime.fromisoformat(as_typed(self.stood, self.zone)):
                return self.stood
            at = (typed if typed.tzinfo else typed.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise forms.ValidationError(_("Enter a date and a time."), code="time_syntax") from error
        if typed.tzinfo is None and at.astimezone(self.zone).replace(tzinfo=None) != typed:
            message = _("There was no such time on that day: the clocks went forward. Enter the time before or after.")
            raise forms.ValidationError(message, code="time_skipped")
        return at

    def clean(self) -> dict[str, Any]:
        """Look at what belongs together."""
        cleaned = super().clean() or {}
        for name in self.way.fields:
            number = cleaned.get(name)
            if isinstance(number, Decimal) and (number < 0 or (number == 0 and name not in NOT_NEGATIVE)):
                self.add_error(name, forms.ValidationError(_("Enter a number above zero."), code="not_positive"))
        if self.way.one_of and not any(name in self.errors for name in self.way.one_of):
            self._check_one_of(cleaned)
        return cleaned

    def _check_one_of(self, cleaned: dict[str, Any]) -> None:
        given = [name for name in self.way.one_of if cleaned.get(name) is not None]
        if not given:
            self.add_error("value", _("Enter the whole sum, or the price of one below."))
        elif len(given) > 1:
            self.add_error("price", _("Enter the whole sum or the price of one, not both."))

    def portable(self) -> dict[str, object]:
        """Return the entry in the portable format, without an id; a note is not part of that."""
        cleaned = self.cleaned_data
        given = {name: cleaned.get(name) for name in self.way.fields if name != "note"}
        if not given.get("fee"):
            left_out = FEES if self.way.type is not EntryType.TRANSFER else ("fee", "fee_asset")
            given = {name: value for name, value in given.items() if name not in left_out and name != "fee_on"}
        elif not given.get("fee_asset"):
            given["fee_asset"] = self.quote
        if self.way.type is EntryType.TRANSFER and given.get("received") is None:
            given["received"] = given["amount"]
        told = {name: value for name, value in given.items() if value not in {None, ""}}
        body = {name: money.plain(value) if isinstance(value, Decimal) else value for name, value in told.items()}
        moment = cleaned["at"].isoformat().replace("+00:00", "Z")
        return {"ts": moment, "type": self.way.type.value, **self.way.fixed, **body}

    def accept(self, problems: dict[str, str]) -> None:
        """Show what the ledger found wrong, each beside its field."""
        for ledger_name, message in problems.items():
            name = {"ts": "at"}.get(ledger_name, ledger_name)
            self.add_error(name if name in self.fields else None, message)
