"""A file to import: which it is, how it is written, and what its columns are where nobody knows the format."""

from typing import Any, Final

from django import forms
from django.core.files.base import File
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.portfolios.domain.importing import (
    AUTO,
    FORMATS,
    MAX_BYTES,
    ColumnMapping,
    Columns,
    ImportRefusedError,
    parse_mapping,
)
from apps.portfolios.domain.transactions import EntryType

FORMAT_NAMES: Final = {**FORMATS, "generic": gettext_lazy("Coinsphere's own columns")}
NUMBERS: Final = (
    ("auto", gettext_lazy("Find out from the file")),
    ("point", gettext_lazy("1,234.56")),
    ("comma", gettext_lazy("1.234,56")),
)
DATES: Final = (
    ("auto", gettext_lazy("Find out from the file")),
    ("ymd", gettext_lazy("year, month, day")),
    ("dmy", gettext_lazy("day, month, year")),
    ("mdy", gettext_lazy("month, day, year")),
)
#: What a column of an unknown file can be, in the order in which people look for it.
COLUMNS: Final = {
    "ts": gettext_lazy("Date and time"),
    "type": gettext_lazy("What happened"),
    "asset": gettext_lazy("Coin"),
    "amount": gettext_lazy("Amount"),
    "price": gettext_lazy("Price of one"),
    "value": gettext_lazy("Value in all"),
    "quote": gettext_lazy("Money of the price"),
    "pair": gettext_lazy("Pair of coins"),
    "out_asset": gettext_lazy("Coin given"),
    "out_amount": gettext_lazy("Amount given"),
    "in_asset": gettext_lazy("Coin received"),
    "in_amount": gettext_lazy("Amount received"),
    "fee": gettext_lazy("Fee"),
    "fee_asset": gettext_lazy("Coin of the fee"),
    "kind": gettext_lazy("Kind of income"),
    "account": gettext_lazy("Account"),
    "id": gettext_lazy("Id"),
    "note": gettext_lazy("Note"),
}
_PREFIX: Final = "column_"


class UploadForm(forms.Form):
    """A file and how to read it; the fields of columns are there once a file was not understood."""

    file = forms.FileField(label=gettext_lazy("File"), widget=forms.FileInput(attrs={"accept": ".csv,.json,.txt,.tsv"}))
    format = forms.ChoiceField(
        label=gettext_lazy("From"),
        required=False,
        choices=[(AUTO, gettext_lazy("Recognize it by its columns")), *FORMAT_NAMES.items()],
    )
    account = forms.CharField(
        label=gettext_lazy("Into account"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("Empty: named after where the file is from."),
        widget=forms.TextInput(attrs={"list": "known-accounts", "autocomplete": "off"}),
    )
    numbers = forms.ChoiceField(label=gettext_lazy("Numbers"), required=False, choices=NUMBERS)
    dates = forms.ChoiceField(label=gettext_lazy("Dates"), required=False, choices=DATES)
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        required=False,
        max_length=64,
        help_text=gettext_lazy("Of times that do not say it themselves, such as Europe/Berlin. Empty: UTC."),
    )

    def __init__(self, *args: Any, columns: Columns | None = None, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        self.columns = columns
        names = columns.names if columns else ()
        is_mapped = any(name.startswith(_PREFIX) for name in self.data)
        if not names and not is_mapped:
            return
        choices = [("", _("not in the file")), *((name, name) for name in names)]
        for name, label in COLUMNS.items():
            key = f"{_PREFIX}{name}"
            self.fields[key] = forms.CharField(required=False, max_length=200, label=str(label))
            if names:
                self.fields[key].widget = forms.Select(choices=choices)
        types = [(one.value, one.value) for one in EntryType]
        self.fields["always"] = forms.ChoiceField(
            label=_("Every line is"), required=False, choices=[("", _("as its column says")), *types]
        )
        self.fields["words"] = forms.CharField(
            label=_("Its words for what happened"),
            required=False,
            max_length=4_000,
            help_text=_("One on each line, as in: Kauf = buy"),
            widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        )

    def clean_file(self) -> "File[bytes]":
        """Refuse what is too large."""
        file: File[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            text = _("A file may have %(size)d MiB. Split it by year.")
            raise forms.ValidationError(text % {"size": MAX_BYTES // 1024 // 1024}, code="file_too_large")
        return file

    @property
    def style_fields(self) -> list[forms.BoundField]:
        """Return the fields that say how a file is written."""
        return [self[name] for name in ("numbers", "dates", "time_zone")]

    @property
    def column_fields(self) -> list[forms.BoundField]:
        """Return the fields that say which column is what."""
        return [self[name] for name in self.fields if name.startswith(_PREFIX) or name in {"always", "words"}]

    def mapping(self) -> ColumnMapping | None:
        """Return how the file is to be read, or raise `ImportRefusedError`; nothing where all of it is found out."""
        asked = self.cleaned_data
        columns = {
            name.removeprefix(_PREFIX): text for name, text in asked.items() if name.startswith(_PREFIX) and text
        }
        raw: dict[str, object] = {
            "columns": columns,
            "constants": {"type": asked["always"]} if asked.get("always") else {},
            "kinds": _words(asked.get("words", "")),
            "numbers": asked.get("numbers") or "auto",
            "dates": asked.get("dates") or "auto",
            "time_zone": asked.get("time_zone") or "UTC",
        }
        return parse_mapping(raw)


def _words(text: str) -> dict[str, str]:
    words = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        theirs, sign, ours = line.rpartition("=")
        if not sign:
            raise ImportRefusedError("mapping_invalid", _("Write each word and what it means, as in: Kauf = buy"))
        words[theirs.strip()] = ours.strip().lower()
    return words
