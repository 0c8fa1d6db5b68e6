"""The import templates of a person, and which of them fit a file."""

from uuid import UUID

from apps.accounts.models import User
from apps.core.errors import NotFoundError
from apps.portfolios.domain.importing import ImportRefusedError, fit, heads_of
from apps.portfolios.models import ImportTemplate
from apps.portfolios.models.import_templates import ImportTemplateQuerySet


def templates_of(*, user: User) -> ImportTemplateQuerySet:
    """Return the person's templates by their names."""
    return ImportTemplate.objects.for_user(user).order_by("name", "id")


def template_of(*, user: User, template_id: UUID) -> ImportTemplate:
    """Return a template of the person's, or raise `NotFoundError`."""
    found = templates_of(user=user).filter(pk=template_id).first()
    if found is None:
        raise NotFoundError
    return found


def fitting_templates(*, user: User, data: bytes) -> list[ImportTemplate]:
    """Return the templates that the beginning of a file fits, the best first; none where it is no table."""
    kept = list(templates_of(user=user))
    if not kept:
        return []
    try:
        heads = heads_of(data)
    except ImportRefusedError:
        return []
    rated = [(fit(heads, head=one.head, choices=one.choices), one) for one in kept]
    ordered = sorted(rated, key=lambda pair: (-pair[0], -_when(pair[1])))
    return [one for rate, one in ordered if rate]


def _when(template: ImportTemplate) -> float:
    return (template.used_at or template.created_at).timestamp()
