"""What every page may use: the time of the request, the version, and where its scripts keep preferences."""

from django.conf import settings
from django.http import HttpRequest

from apps.core import clock


def look(_request: HttpRequest) -> dict[str, object]:
    """Give `now`, `version` and `debug` to the templates."""
    return {"now": clock.now(), "version": settings.VERSION, "debug": settings.DEBUG}
