"""The settings of a portfolio: its name, and the rules that its ledger is booked by."""

from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.portfolios.domain.policy import Policy, PolicyError, parse_policy, policy_as_portable

METHODS: Final = (
    ("fifo", _("FIFO: the oldest coins leave first")),
    ("lifo", _("LIFO: the newest coins leave first")),
    ("hifo", _("HIFO: the dearest coins leave first")),
    ("acb", _("Average cost: one pool for each coin")),
    ("uk_s104", _("UK pooling: same day, 30 days after, section 104 pool")),
)
SCOPES: Final = (
    ("universal", _("All accounts together")),
    ("per_account", _("Each account on its own")),
)
FEES: Final = (
    ("basis", _("Into cost and proceeds")),
    ("separate", _("Beside the gains, summed up alone")),
)
COIN_FEES: Final = (
    ("dispose", _("A disposal at its value")),
    ("consume", _("Used up without a gain")),
)
SAME_COIN: Final = (
    ("dispose", _("A disposal of its own")),
    ("in_disposal", _("Part of the sale")),
)
MISSING: Final = (
    ("zero_cost", _("Counts as bought for nothing")),
    ("error", _("The same, and named as an error")),
)


class PolicyForm(forms.Form):
    """The rules of booking, from the beginning or from a moment on; what cannot go together is refused beside it."""

    from_at = forms.CharField(
        label=_("These rules hold from"),
        widget=forms.TextInput(attrs={"type": "datetime-local", "step": "any"}),
        help_text=_("A moment that has passed. What was sold before keeps its result."),
    )
    method = forms.ChoiceField(label=_("Which coins leave first"), choices=METHODS)
    scope = forms.ChoiceField(label=_("Where they may come from"), choices=SCOPES)
    long_days = forms.IntegerField(
        label=_("Long-term after"),
        min_value=0,
        max_value=36_500,
        help_text=_("Whole days between purchase and sale."),
    )
    fees = forms.ChoiceField(label=_("Fees in money"), choices=FEES)
    crypto_fee = forms.ChoiceField(label=_("A fee paid in a coin"), choices=COIN_FEES)
    same_coin_fee = forms.ChoiceField(label=_("A fee in the coin that is sold"), choices=SAME_COIN)
    transfer_fee = forms.ChoiceField(label=_("What a transfer loses on the way"), choices=COIN_FEES)
    missing = forms.ChoiceField(label=_("A sale without a purchase"), choices=MISSING)
    superficial_window_days = forms.IntegerField(
        label=_("Superficial losses within"),
        required=False,
        min_value=0,
        max_value=36_500,
        help_text=_("Days before and after a sale, with average cost only (Canada: 30). Empty: none."),
    )

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - Django's signature
        policy: Policy,
        zone: tzinfo = UTC,
        from_at: datetime | None = None,
        always: bool = True,
        **options: Any,  # noqa: ANN401 - as above
    ) -> None:
        kept = policy_as_portable(policy)
        local = "" if from_at is None else from_at.astimezone(zone).replace(tzinfo=None).isoformat()
        super().__init__(*args, **{**options, "initial": {**kept, "from_at": local}})
        self.kept, self.zone = kept, zone
        if always:
            del self.fields["from_at"]

    def clean_from_at(self) -> datetime:
        """Return the moment; it was typed in the reader's zone."""
        try:
            typed = datetime.fromisoformat(str(self.cleaned_data["from_at"]))
        except ValueError as error:
            raise forms.ValidationError(gettext("Enter a date and a time."), code="time_syntax") from error
        return (typed if typed.tzinfo else typed.replace(tzinfo=self.zone)).astimezone(UTC)

    def policy(self) -> Policy | None:
        """Return the rules that were chosen, nothing where they do not go together."""
        if not self.is_valid():
            return None
        given = {name: value for name, value in self.cleaned_data.items() if name != "from_at"}
        chosen = {name: value for name, value in given.items() if value not in {None, ""}}
        untouched = {name: self.kept[name] for name in ("hifo_excl_fee", "alias")}
        try:
            return parse_policy({**untouched, **chosen})
        except PolicyError as error:
            self.refuse(field=error.field, message=error.message)
            return None

    def refuse(self, *, field: str, message: str) -> None:
        """Say beside a field what cannot be; what concerns the changes stands beside their moment."""
        place = "from_at" if field == "changes" else field
        self.add_error(place if place in self.fields else None, message)


class PortfolioForm(forms.Form):
    """How a portfolio is called."""

    name = forms.CharField(label=_("Name"), max_length=80)


class NewPortfolioForm(forms.Form):
    """A portfolio besides the others."""

    name = forms.CharField(label=_("Name"), max_length=80)
    currency = forms.CharField(label=_("Money of account"), max_length=16, initial="USD")

    def clean_currency(self) -> str:
        """Return the code in capitals."""
        return str(self.cleaned_data["currency"]).strip().upper()
