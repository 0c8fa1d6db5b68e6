"""REST: a whole portfolio as a file."""

from typing import Final
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from apps.core.api.views import operation
from apps.portfolios import queries
from apps.portfolios import serializers as shapes
from apps.portfolios.api.portfolios import PortfolioDoor

_WRITERS: Final = {
    "json": (queries.export_json, "application/json"),
    "csv": (queries.export_csv, "text/csv; charset=utf-8"),
    "beancount": (queries.export_beancount, "text/plain; charset=utf-8"),
}


class ExportView(PortfolioDoor):
    """Taking everything along."""

    @operation(
        summary="Export a portfolio",
        description=(
            "`json` is the portable format: `manage book` reads it, and an import into an empty portfolio gives the "
            "same totals. `csv` has the same columns. `beancount` is for bean-check."
        ),
        query=shapes.ExportQuerySerializer,
        response=OpenApiTypes.OBJECT,
        status=(200, "application/json"),
        others={(200, "text/csv"): OpenApiTypes.BINARY, (200, "text/plain"): OpenApiTypes.BINARY},
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> StreamingHttpResponse:
        portfolio = self.portfolio(portfolio_id)
        wanted = self.parse_query(shapes.ExportQuerySerializer)["format"]
        write, content_type = _WRITERS[wanted]
        name = f'attachment; filename="portfolio.{wanted}"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return StreamingHttpResponse(write(portfolio=portfolio), content_type=content_type, headers=headers)
