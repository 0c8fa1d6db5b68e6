"""Import templates: kept after a file was read or written by hand, renamed, changed and deleted by their owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.portfolios.actions.imports import preview_import
from apps.portfolios.domain.importing import AUTO, Choices
from apps.portfolios.models import FileImport, ImportTemplate, Portfolio
from apps.portfolios.queries.import_templates import template_of

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_TEMPLATES: Final = 100


class TemplateNameTakenError(ConflictError):
    """The person has another template of this name."""

    code = "template_name_taken"
    title = "This name is taken"
    default_detail = "You have a template of this name. Choose another name, or change that one."


class TooManyTemplatesError(ConflictError):
    """The person keeps as many templates as they can."""

    code = "too_many_templates"
    title = "Too many templates"
    default_detail = f"You can keep {MOST_TEMPLATES} import templates. Delete one that you no longer need."


def make_template(
    *, user: User, name: str, choices: Choices, head: Sequence[str] = (), now: datetime
) -> ImportTemplate:
    """Keep how a kind of file is read, under a name."""
    with transaction.atomic():
        mine = ImportTemplate.objects.for_user(user)
        if mine.count() >= MOST_TEMPLATES:
            raise TooManyTemplatesError
        made = ImportTemplate(owner=user, head=list(head), created_at=now)
        return _saved(made, name, choices)


def preview_by_template(
    *,
    template: ImportTemplate,
    portfolio: Portfolio,
    data: bytes,
    file_name: str,
    choices: Choices,
    by: User,
    now: datetime,
) -> FileImport:
    """Preview a file that is read by choices from a template, and note when that was used."""
    with transaction.atomic():
        made = preview_import(
            portfolio=portfolio,
            data=data,
            file_name=file_name,
            wanted=choices.format,
            account=choices.account,
            mapping=choices.mapping,
            by=by,
            now=now,
        )
        ImportTemplate.objects.for_user(by).filter(pk=template.pk).update(used_at=now)
        return made


def keep_template(*, user: User, import_id: UUID, name: str, now: datetime) -> ImportTemplate:
    """Keep how the file of an import was read, for the next one of its kind."""
    row = FileImport.objects.for_user(user).defer("drafts").filter(pk=import_id).first()
    if row is None:
        raise NotFoundError
    made = ImportTemplate(format=row.format, account_name=row.account_name, mapping=row.mapping)
    return make_template(user=user, name=name, choices=made.choices, head=row.head, now=now)


def change_template(*, user: User, template_id: UUID, name: str, choices: Choices) -> ImportTemplate:
    """Rename a template, and read files otherwise by it."""
    with transaction.atomic():
        return _saved(template_of(user=user, template_id=template_id), name, choices)


def delete_template(*, user: User, template_id: UUID) -> None:
    """Forget a template; what was imported by it stays."""
    template_of(user=user, template_id=template_id).delete()


def _saved(row: ImportTemplate, name: str, choices: Choices) -> ImportTemplate:
    row.name = " ".join(name.split())
    if not row.name or not row.name.isprintable():
        raise InvalidError(problems=[FieldProblem("name", "name_invalid", "Give the template a name.")])
    if ImportTemplate.objects.filter(owner=row.owner, name__iexact=row.name).exclude(pk=row.pk).exists():
        raise TemplateNameTakenError
    mapping = choices.mapping.as_json()
    row.format, row.account_name, row.mapping = choices.format or AUTO, choices.account, mapping
    row.save()
    return row
