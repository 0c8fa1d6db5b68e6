"""Forms of our own pages: they parse, the actions decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.accounts.domain.grants import Scope
from apps.accounts.models import Preferences, Role, User

LIFETIMES: Final = {"7": _("7 days"), "30": _("30 days"), "90": _("90 days"), "365": _("One year")}
SCOPE_WORDS: Final = {
    Scope.READ: _("Read: see everything that you see"),
    Scope.WRITE: _("Write: change what you can change, keys and sign-in methods excepted"),
    Scope.ADMIN: _("Admin: people, jobs and settings of this instance"),
}
_CURRENCY_CODES: Final = (
    "USD EUR GBP JPY CHF AUD CAD NZD CNY HKD SGD KRW INR BRL MXN SEK NOK DKK PLN CZK HUF TRY ZAR AED BTC ETH"
)
CURRENCIES: Final = tuple(_CURRENCY_CODES.split())
_INVITED_ROLES: Final = (Role.MEMBER, Role.VIEWER, Role.ADMIN)


class ProfileForm(forms.Form):
    """How a person is called."""

    display_name = forms.CharField(
        label=_("Name"),
        max_length=80,
        required=False,
        help_text=_("Shown to you and to those who run this instance."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class AccountDeletionForm(forms.Form):
    """Says by their own address that a person means it."""

    email = forms.CharField(label=_("Your email address"), max_length=254)

    def __init__(self, *args: Any, user: User, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        self.user = user

    def clean_email(self) -> str:
        """Refuse another address than the account's."""
        typed = str(self.cleaned_data["email"]).strip().lower()
        if typed != self.user.email:
            raise forms.ValidationError(_("This is not the address of your account."), code="other_address")
        return typed


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    """How a person wants to see the product."""

    display_currency = forms.ChoiceField(label=_("Display currency"))
    locale = forms.ChoiceField(label=_("Language"))
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}),
    )

    class Meta:
        model = Preferences
        fields = ("display_currency", "locale", "time_zone", "theme", "palette", "density", "private")
        widgets = {
            "theme": forms.RadioSelect,
            "palette": forms.RadioSelect,
            "density": forms.RadioSelect,
        }

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        kept = self.instance.display_currency
        codes = CURRENCIES if kept in CURRENCIES else (*CURRENCIES, kept)
        _choices(self, "display_currency", [(code, code) for code in codes])
        _choices(self, "locale", settings.LANGUAGES)

    def clean_time_zone(self) -> str:
        """Refuse a name that is not a time zone's."""
        zone = str(self.cleaned_data["time_zone"]).strip()
        if zone not in available_timezones():
            raise forms.ValidationError(_("Choose a name from the list, such as Europe/Berlin."), code="unknown")
        return zone


class PersonalTokenForm(forms.Form):
    """A personal token to be made."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("What it is for, such as the name of the script."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(label=_("It may"), widget=forms.RadioSelect, initial=Scope.READ.value)
    days = forms.ChoiceField(label=_("Valid for"), choices=list(LIFETIMES.items()), initial="90")

    def __init__(self, *args: Any, user: User, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        offered = [scope for scope in Scope if scope is not Scope.ADMIN or user.runs_instance]
        _choices(self, "scope", [(scope.value, SCOPE_WORDS[scope]) for scope in offered])

    @property
    def lifetime(self) -> timedelta:
        """Return how long the token is to be good."""
        return timedelta(days=int(self.cleaned_data["days"]))

    @property
    def scopes(self) -> list[Scope]:
        """Return what the token may do."""
        return [Scope(self.cleaned_data["scope"])]


class PersonForm(forms.Form):
    """What those who run the instance change of a person: one of the two."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, required=False)
    state = forms.ChoiceField(choices=[("active", _("active")), ("kept_out", _("kept out"))], required=False)

    @property
    def new_role(self) -> Role | None:
        """Return the role that was chosen."""
        return Role(self.cleaned_data["role"]) if self.cleaned_data["role"] else None

    @property
    def new_state(self) -> bool | None:
        """Tell whether the person may sign in from now on; nothing where that was not asked."""
        return {"active": True, "kept_out": False}.get(self.cleaned_data["state"])


class InviteForm(forms.Form):
    """An invite to be made."""

    role = forms.ChoiceField(label=_("Role"))
    note = forms.CharField(
        label=_("For whom"),
        max_length=80,
        required=False,
        help_text=_("Seen only by those who run this instance."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        offered = [role for role in _INVITED_ROLES if role is not Role.ADMIN or user.role == Role.OWNER]
        _choices(self, "role", [(role.value, role.label) for role in offered])


def _choices(form: forms.BaseForm, name: str, choices: Any) -> None:  # noqa: ANN401 - Django's choices
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        field.choices = choices
