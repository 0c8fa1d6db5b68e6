"""REST: how a person's files are read, kept under names for the next file of the same kind."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import ApiView, operation
from apps.core.errors import FieldProblem, InvalidError
from apps.portfolios.actions.import_templates import change_template, delete_template, keep_template, make_template
from apps.portfolios.api import import_shapes as shapes
from apps.portfolios.domain.importing import HEAD_BYTES, Choices, ColumnMapping, ImportRefusedError, parse_mapping
from apps.portfolios.models import ImportTemplate
from apps.portfolios.queries.import_templates import fitting_templates, template_of, templates_of


class ImportTemplatesView(ApiView):
    """One's templates."""

    refuses_with: ClassVar[Sequence[int]] = (404, 409)

    @operation(
        summary="Your import templates",
        description="By their names.",
        response=shapes.ImportTemplateSerializer(many=True),
        tags=["portfolios"],
    )
    def get(self, request: Request) -> Response:
        return self.results(templates_of(user=person_of(request)), shapes.ImportTemplateSerializer)

    @operation(
        summary="Keep an import template",
        description="With `import`, the id of an import of yours, it is kept as that file was read.",
        request=shapes.NewTemplateSerializer,
        response=shapes.ImportTemplateSerializer,
        status=201,
        tags=["portfolios"],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        person, now, said = person_of(request), clock.now(), self.parse(shapes.NewTemplateSerializer)
        if said["import"] is not None:
            made = keep_template(user=person, import_id=said["import"], name=said["name"], now=now)
        else:
            choices = _choices(said)
            made = make_template(user=person, name=said["name"], choices=choices, head=said["head"], now=now)
        return self.answer(shapes.ImportTemplateSerializer, made, status=201)


class ImportTemplateView(ApiView):
    """One template."""

    refuses_with: ClassVar[Sequence[int]] = (404, 409)

    @operation(summary="An import template", response=shapes.ImportTemplateSerializer, tags=["portfolios"])
    def get(self, request: Request, template_id: UUID) -> Response:
        return self.answer(
            shapes.ImportTemplateSerializer, template_of(user=person_of(request), template_id=template_id)
        )

    @operation(
        summary="Change an import template",
        description="What is left out stays as it is.",
        request=shapes.ImportTemplateSerializer(partial=True),
        response=shapes.ImportTemplateSerializer,
        tags=["portfolios"],
    )
    def patch(self, request: Request, template_id: UUID) -> Response:
        person = person_of(request)
        row = template_of(user=person, template_id=template_id)
        said = {**_as_it_is(row), **self.parse(shapes.ImportTemplateSerializer, partial=True)}
        made = change_template(user=person, template_id=row.pk, name=said["name"], choices=_choices(said))
        return self.answer(shapes.ImportTemplateSerializer, made)

    @operation(
        summary="Delete an import template",
        description="What was imported by it stays.",
        status=204,
        tags=["portfolios"],
    )
    def delete(self, request: Request, template_id: UUID) -> Response:
        delete_template(user=person_of(request), template_id=template_id)
        return self.nothing()


class FittingTemplatesView(ApiView):
    """Templates that fit a file."""

    parser_classes = [MultiPartParser]

    @operation(
        summary="Import templates that fit a file",
        description="The best first. The beginning of the file is enough; nothing of it is kept.",
        request={"multipart/form-data": shapes.PieceSerializer},
        response=shapes.ImportTemplateSerializer(many=True),
        tags=["portfolios"],
    )
    def post(self, request: Request) -> Response:
        piece = self.parse(shapes.PieceSerializer)["file"].read(HEAD_BYTES)
        return self.results(fitting_templates(user=person_of(request), data=piece), shapes.ImportTemplateSerializer)


def mapping_of(*, raw: object) -> ColumnMapping:
    """Return the mapping that somebody spells for a program."""
    try:
        return parse_mapping(raw or {})
    except ImportRefusedError as error:
        raise InvalidError(problems=[FieldProblem("mapping", error.code, error.message)]) from error


def _choices(said: Mapping[str, Any]) -> Choices:
    return Choices(said["format"], said["account_name"].strip(), mapping_of(raw=said["mapping"]))


def _as_it_is(row: ImportTemplate) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("name", "format", "account_name", "mapping")}
