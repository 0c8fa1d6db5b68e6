"""REST: files that become entries."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.core.files.base import File
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import operation
from apps.core.errors import FieldProblem, InvalidError
from apps.portfolios import actions, queries
from apps.portfolios import serializers as shapes
from apps.portfolios.actions.frozen_effects import frozen_years_of_import
from apps.portfolios.actions.import_templates import preview_by_template
from apps.portfolios.api.import_templates import mapping_of
from apps.portfolios.api.portfolios import PortfolioDoor
from apps.portfolios.domain.importing import MAX_BYTES, Choices, filled
from apps.portfolios.models import FileImport, Portfolio
from apps.portfolios.queries.import_rules import offer_of
from apps.portfolios.queries.import_templates import template_of

if TYPE_CHECKING:
    from apps.accounts.models import User


class ImportsView(PortfolioDoor):
    """The files of a portfolio."""

    ordering: ClassVar[Sequence[str]] = ("-id",)
    parser_classes = [MultiPartParser]

    @operation(summary="Imports", response=shapes.ImportSerializer(many=True), tags=["portfolios"])
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        return self.page(queries.imports_of(portfolio=self.portfolio(portfolio_id)), shapes.ImportSerializer)

    @operation(
        summary="Preview a file",
        description=(
            "Reads the file and shows what it would change, every bad line with its number and reason. Nothing is "
            "posted until you commit. `mapping` is JSON: `columns`, `constants`, `kinds`, `numbers`, `dates`, "
            "`time_zone`."
        ),
        request={"multipart/form-data": shapes.UploadSerializer},
        response=shapes.ImportDetailSerializer,
        status=201,
        tags=["portfolios"],
    )
    @idempotent
    def post(self, request: Request, portfolio_id: UUID) -> Response:
        portfolio, person = self.portfolio(portfolio_id), person_of(request)
        values = self.parse(shapes.UploadSerializer)
        file = values["file"]
        if file.size > MAX_BYTES:
            message = f"A file may have {MAX_BYTES // 1024 // 1024} MiB. Split it by year."
            raise InvalidError(problems=[FieldProblem("file", "file_too_large", message)])
        said = Choices(values["format"], values["account"], mapping_of(raw=values["mapping"]))
        made = _previewed(portfolio, person, file, said, values)
        return _detail(self, made, status=201)


class ImportView(PortfolioDoor):
    """One import."""

    @operation(
        summary="An import",
        description=(
            "`frozen_years` are those that booking it would change, or undoing it; their own figures stay. `rules` are "
            "those of booking that a portable file carries; committing passes over them unless `with_policy` is said."
        ),
        response=shapes.ImportDetailSerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID, import_id: UUID) -> Response:
        found = queries.import_of(portfolio=self.portfolio(portfolio_id), import_id=import_id)
        return _detail(self, found)


class _ImportDoor(PortfolioDoor):
    """What doors of one import share."""

    def standing(self, portfolio_id: UUID, import_id: UUID) -> Response:
        """Answer where the import stands: 202 while a worker is at it."""
        found = queries.import_of(portfolio=self.portfolio(portfolio_id), import_id=import_id)
        return self.answer(shapes.ImportSerializer, found, status=200 if found.open_work is None else 202)


class CommitImportView(_ImportDoor):
    """Posting what a preview showed."""

    @operation(
        summary="Commit an import",
        description=(
            "With bad lines it needs `skip_errors`: they are left out then. `with_policy` takes over the rules of "
            "booking of a portable file, which only a portfolio without transactions can (409 `policy_not_offered`). "
            "A large one answers 202 with state `committing`: a worker books it as a whole, and the `jobs` channel "
            "tells how far it is."
        ),
        request=shapes.CommitSerializer,
        response=shapes.ImportSerializer,
        others={202: shapes.ImportSerializer},
        tags=["portfolios"],
    )
    def post(self, request: Request, portfolio_id: UUID, import_id: UUID) -> Response:
        found = queries.import_of(portfolio=self.portfolio(portfolio_id), import_id=import_id)
        said = self.parse(shapes.CommitSerializer)
        actions.commit_import(user=person_of(request), import_id=found.pk, now=clock.now(), **said)
        return self.standing(portfolio_id, import_id)


class UndoImportView(_ImportDoor):
    """Undoing an import."""

    @operation(
        summary="Undo an import",
        description=(
            "Everything it posted counts no more; a preview is thrown away. A large one answers 202 with state "
            "`undoing` and is undone by a worker."
        ),
        request=shapes.ReasonSerializer,
        response=shapes.ImportSerializer,
        others={202: shapes.ImportSerializer},
        tags=["portfolios"],
    )
    def post(self, request: Request, portfolio_id: UUID, import_id: UUID) -> Response:
        found = queries.import_of(portfolio=self.portfolio(portfolio_id), import_id=import_id)
        reason = self.parse(shapes.ReasonSerializer)["reason"]
        actions.undo_import(user=person_of(request), import_id=found.pk, reason=reason, now=clock.now())
        return self.standing(portfolio_id, import_id)


def _previewed(
    portfolio: Portfolio, person: "User", file: "File[bytes]", said: Choices, values: Mapping[str, Any]
) -> FileImport:
    data, name, now = file.read(), file.name or "", clock.now()
    if values["template"] is None:
        return actions.preview_import(
            portfolio=portfolio,
            data=data,
            file_name=name,
            wanted=said.format,
            account=said.account,
            mapping=said.mapping if values["mapping"] else None,
            by=person,
            now=now,
        )
    row = template_of(user=person, template_id=values["template"])
    choices = filled(said, row.choices)
    return preview_by_template(
        template=row, portfolio=portfolio, data=data, file_name=name, choices=choices, by=person, now=now
    )


def _detail(door: PortfolioDoor, row: FileImport, *, status: int = 200) -> Response:
    offer = offer_of(row=row)
    row.frozen_years = frozen_years_of_import(row=row, now=clock.now())  # type: ignore[attr-defined]  # for the answer
    row.offer = offer and offer.as_row()  # type: ignore[attr-defined]  # for the answer
    return door.answer(shapes.ImportDetailSerializer, row, status=status)
