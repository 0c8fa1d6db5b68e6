"""Tables of the kernel that know no product, and the fields and constraints every app uses."""

from apps.core.models.amounts import AmountField, AmountFormField, amount_checks

__all__ = [
    "AmountField",
    "AmountFormField",
    "amount_checks",
]
