"""What people type about exchanges."""

from apps.exchanges.forms.guides import Guide, guide_of
from apps.exchanges.forms.keys import KeyForm, LabelForm

__all__ = ["Guide", "KeyForm", "LabelForm", "guide_of"]
