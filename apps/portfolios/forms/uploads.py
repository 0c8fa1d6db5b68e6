"""A file to import: which it is, how it is written, and what its columns are where nobody knows the format."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.files.base import File
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.portfolios.domain.drafts import LONGEST_ACCOUNT
from apps.portfolios.domain.importing import (
    AUTO,
    FORMATS,
    MAX_BYTES,
    Choices,
    Columns,
    ImportRefusedError,
    filled,
    normalized,
    parse_mapping,
)
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import ImportTemplate
from apps.portfolios.models.import_templates import LONGEST_NAME

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


class ReadingForm(forms.Form):
    """How a file is to be read; the fields of columns are there where somebody has to name them."""

    format = forms.ChoiceField(
        label=gettext_lazy("From"),
        required=False,
        choices=[(AUTO, gettext_lazy("Recognize it by its columns")), *FORMAT_NAMES.items()],
    )
    account = forms.CharField(
        label=gettext_lazy("Into account"),
        required=False,
        max_length=LONGEST_ACCOUNT,
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

    def name_columns(self, names: Sequence[str]) -> None:
        """Ask which column is what: one of these, or any where they are not known."""
        choices = [("", _("not in the file")), *((name, name) for name in dict.fromkeys(names))]
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

    @property
    def style_fields(self) -> list[forms.BoundField]:
        """Return the fields that say how a file is written."""
        return [self[name] for name in ("numbers", "dates", "time_zone")]

    @property
    def column_fields(self) -> list[forms.BoundField]:
        """Return the fields that say which column is what."""
        return [self[name] for name in self.fields if name.startswith(_PREFIX) or name in {"always", "words"}]

    def choices(self, *, constants: Mapping[str, str] | None = None) -> Choices:
        """Return how the file is to be read, or raise `ImportRefusedError`; `constants` that no field asks for stay."""
        asked = self.cleaned_data
        columns = {
            name.removeprefix(_PREFIX): text for name, text in asked.items() if name.startswith(_PREFIX) and text
        }
        kept = {name: text for name, text in (constants or {}).items() if name != "type"}
        raw: dict[str, object] = {
            "columns": columns,
            "constants": {**kept, **({"type": asked["always"]} if asked.get("always") else {})},
            "kinds": _words(asked.get("words", "")),
            "numbers": asked.get("numbers") or "auto",
            "dates": asked.get("dates") or "auto",
            "time_zone": asked.get("time_zone") or "UTC",
        }
        return Choices(asked["format"] or AUTO, asked["account"].strip(), parse_mapping(raw))


class UploadForm(ReadingForm):
    """A file, and a template to read it by."""

    file = forms.FileField(label=gettext_lazy("File"), widget=forms.FileInput(attrs={"accept": ".csv,.json,.txt,.tsv"}))
    template = forms.ChoiceField(
        label=gettext_lazy("Template"),
        required=False,
        help_text=gettext_lazy("What you kept from an earlier file of the same kind."),
    )
    applied = forms.CharField(required=False, max_length=36, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - Django's signature
        templates: Sequence[ImportTemplate] = (),
        filled_by: ImportTemplate | None = None,
        columns: Columns | None = None,
        **options: Any,  # noqa: ANN401 - as above
    ) -> None:
        names = columns.names if columns else ()
        if filled_by is not None:
            options["initial"] = {**typed(choices=filled_by.choices, names=names), "template": str(filled_by.pk)}
            options["initial"]["applied"] = str(filled_by.pk)
        super().__init__(*args, **options)
        self.columns, self.filled_by = columns, filled_by
        self.templates = {str(one.pk): one for one in templates}
        self.fields["template"].choices = [("", _("none")), *((key, one.name) for key, one in self.templates.items())]  # type: ignore[attr-defined]
        if names or any(name.startswith(_PREFIX) for name in self.data):
            self.name_columns(names)

    def clean_file(self) -> "File[bytes]":
        """Refuse what is too large."""
        file: File[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            text = _("A file may have %(size)d MiB. Split it by year.")
            raise forms.ValidationError(text % {"size": MAX_BYTES // 1024 // 1024}, code="file_too_large")
        return file

    @property
    def chosen(self) -> ImportTemplate | None:
        """Return the template that the file is read by."""
        return self.templates.get(self.cleaned_data["template"])

    def reading(self) -> Choices:
        """Return how the file is to be read; a template fills in what is empty, unless its choices stand here."""
        row = self.chosen
        said = self.choices(constants=row.choices.mapping.constants if row else None)
        if row is None or self.cleaned_data["applied"] == str(row.pk):
            return said
        return filled(said, row.choices)


class TemplateForm(ReadingForm):
    """A template: its name and its choices, columns by their names."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    field_order = ("name",)

    def __init__(self, *args: Any, template: ImportTemplate, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        self.initial = {**typed(choices=template.choices), "name": template.name}
        self.constants = template.choices.mapping.constants
        self.name_columns(())

    def reading(self) -> Choices:
        """Return the choices, or raise `ImportRefusedError`."""
        return self.choices(constants=self.constants)


def typed(*, choices: Choices, names: Sequence[str] = ()) -> dict[str, str]:
    """Return choices as somebody would type them, columns as these names write them."""
    mapping, written = choices.mapping, {normalized(name): name for name in names}
    columns = {f"{_PREFIX}{ours}": written.get(normalized(name), name) for ours, name in mapping.columns.items()}
    return {
        **columns,
        "format": choices.format,
        "account": choices.account,
        "numbers": mapping.numbers.value,
        "dates": mapping.dates.value,
        "time_zone": "" if mapping.time_zone == "UTC" else mapping.time_zone,
        "always": mapping.constants.get("type", ""),
        "words": "\n".join(f"{theirs} = {ours}" for theirs, ours in mapping.kinds.items()),
    }


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
