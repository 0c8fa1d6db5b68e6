"""Tables of the kernel that know no product, and the fields and constraints every app uses."""

from apps.core.models.amounts import AmountField, AmountFormField, amount_checks
from apps.core.models.idempotency import IdempotencyKey
from apps.core.models.work import LeasedWork, WorkQuerySet, WorkState

__all__ = [
    "AmountField",
    "AmountFormField",
    "IdempotencyKey",
    "LeasedWork",
    "WorkQuerySet",
    "WorkState",
    "amount_checks",
]
