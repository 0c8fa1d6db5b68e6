"""Pages of the audit log, by cursor."""

from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest

from apps.accounts import queries
from apps.accounts.models.audit import AuditQuerySet
from apps.core import clock

ENTRIES: Final = 50


def shown_log(request: HttpRequest, log: AuditQuerySet) -> dict[str, Any]:
    """Return what a page of the log shows: its entries and the addresses of its neighbors."""
    page = queries.page_of_log(
        log=log, before=_cursor(request, "before"), after=_cursor(request, "after"), limit=ENTRIES
    )
    return {
        "entries": page.entries,
        "newer_url": f"?after={page.newer_than}" if page.newer_than else "",
        "older_url": f"?before={page.older_than}" if page.older_than else "",
        "now": clock.now(),
    }


def _cursor(request: HttpRequest, name: str) -> UUID | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
