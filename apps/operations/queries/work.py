"""Questions about long-lived work of every kind."""

from dataclasses import dataclass

from django.apps import apps
from django.db.models import Count

from apps.core.models import LeasedWork, WorkState


@dataclass(frozen=True, slots=True)
class WorkCount:
    """How many pieces of one kind of work are in one state."""

    kind: str
    state: str
    number: int


def count_work() -> list[WorkCount]:
    """Return how much work of every kind is in every state, zeros included."""
    counts = []
    for model in apps.get_models():
        if issubclass(model, LeasedWork):
            rows = model.objects.order_by().values_list("state").annotate(number=Count("pk"))
            numbers = dict(rows)
            counts += [WorkCount(model.kind, state, numbers.get(state, 0)) for state in WorkState.values]
    return counts
