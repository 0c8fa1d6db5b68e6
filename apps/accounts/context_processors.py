"""What every page knows of the person who looks at it."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.accounts.models import Preferences, User
from apps.accounts.queries import preferences_of


def preferences(request: HttpRequest) -> dict[str, object]:
    """Return `prefs`: the person's preferences, or the defaults; asked for only where a page uses them."""

    def found() -> Preferences:
        user = getattr(request, "user", None)
        return preferences_of(user=user) if isinstance(user, User) else Preferences()

    return {"prefs": SimpleLazyObject(found)}
