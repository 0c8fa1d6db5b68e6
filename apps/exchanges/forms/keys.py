"""A key to paste. What is pasted goes to the exchange and into the vault; it never comes back in a page."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.exchanges.models.connections import LONGEST_LABEL

_LONGEST: Final = 8_000
_NOT_KEPT: Final = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "data-lpignore": "true"}
_WORDS: Final = {
    "binance": {"api_key": _("API key"), "api_secret": _("Secret key")},
    "coinbase": {"api_key": _("Name of the key"), "api_secret": _("Private key")},
    "kraken": {"api_key": _("API key"), "api_secret": _("Private key")},
    "kucoin": {"api_key": _("Key"), "api_secret": _("Secret"), "passphrase": _("Passphrase")},
}
_USUAL: Final = {"api_key": _("API key"), "api_secret": _("Secret"), "passphrase": _("Passphrase")}
_IN_LINES: Final = {("coinbase", "api_secret")}


class Unechoed:
    """Draws a field empty, whatever was sent."""

    def format_value(self, value: Any) -> None:  # noqa: ANN401 - Django's own
        """Return nothing: a secret that was sent is not shown again."""


class SecretLine(Unechoed, forms.TextInput):
    """A line for a secret: covered as it is typed, and empty in every answer."""

    input_type = "password"


class SecretLines(Unechoed, forms.Textarea):
    """Lines for a private key, empty in every answer."""


class LabelForm(forms.Form):
    """What a connection is called."""

    label = forms.CharField(label=_("Name of this connection"), max_length=LONGEST_LABEL)


class KeyForm(forms.Form):
    """The parts of a key, and what the connection is called; for a new key of an old connection without the name."""

    label = forms.CharField(
        label=_("Name of this connection"),
        max_length=LONGEST_LABEL,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - Django's own
        exchange: str,
        parts: tuple[str, ...],
        with_label: bool = True,
        tells_pairs: bool = False,
        **options: Any,  # noqa: ANN401 - Django's own
    ) -> None:
        super().__init__(*args, **options)
        self.parts = parts
        words = {**_USUAL, **_WORDS.get(exchange, {})}
        label = self.fields.pop("label")
        for name in parts:
            self.fields[name] = _secret_field(exchange, name, str(words[name]))
        if with_label:
            self.fields["label"] = label
            if tells_pairs:
                self.fields["hints"] = _hints_field()

    def key(self) -> dict[str, str | None]:
        """Return the parts as they were pasted; whoever asks hands them on and keeps nothing."""
        return {name: self.cleaned_data.get(name) for name in self.parts}

    def hints(self) -> tuple[str, ...]:
        """Return the coins and pairs that were named."""
        text = str(self.cleaned_data.get("hints") or "").replace(",", " ")
        return tuple(text.split())


def _secret_field(exchange: str, name: str, label: str) -> forms.CharField:
    attributes = {**_NOT_KEPT, "required": True}
    in_lines = (exchange, name) in _IN_LINES
    widget = SecretLines(attrs={**attributes, "rows": 4, "class": "mono"}) if in_lines else SecretLine(attrs=attributes)
    return forms.CharField(label=label, max_length=_LONGEST, strip=False, widget=widget)


def _hints_field() -> forms.CharField:
    return forms.CharField(
        label=_("Coins that you once traded and no longer hold"),
        max_length=2_000,
        required=False,
        help_text=_(
            "Such as DOGE SHIB, or pairs such as DOGE/USDT. They are looked at first; all others are found later."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
