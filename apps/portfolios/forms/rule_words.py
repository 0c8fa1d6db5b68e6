"""Rules of booking in the words of the settings page, where they are shown and not chosen."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext as _

from apps.portfolios.forms.settings import PolicyForm
from apps.portfolios.queries.import_rules import RuleDifference


def in_words(differences: Sequence[RuleDifference]) -> list[tuple[str, str, str]]:
    """Return what differs with its name, as it is and as it would be, in the words of the form."""
    return [(_label(one.name), _value(one.name, one.now), _value(one.name, one.then)) for one in differences]


def _label(name: str) -> str:
    others = {"alias": _("Coins that count as one"), "hifo_excl_fee": _("Dearest by price without fee")}
    field = PolicyForm.base_fields.get(name)
    return others.get(name) or str(field.label if field else name)


def _value(name: str, value: str) -> str:
    field = PolicyForm.base_fields.get(name)
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]  # pairs, as the form has them
    return {"": _("none"), "True": _("yes"), "False": _("no")}.get(value, value)
