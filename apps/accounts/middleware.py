"""What accounts do around every page: the status of a refused try, and when a browser was last seen."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.accounts.actions.callers import RETRY_AFTER_MARK
from apps.accounts.actions.sessions import note_browser
from apps.core import clock

SEEN_EVERY = timedelta(minutes=5)
_SEEN = "seen_at"


class AccountPagesMiddleware:
    """Turns a form's refusal for too many tries into a 429, and keeps the list of sessions fresh."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        self._note_browser(request)
        response = self.get_response(request)
        retry_after = request.META.get(RETRY_AFTER_MARK)
        if retry_after is not None:
            response.status_code = 429
            response.headers["Retry-After"] = str(retry_after)
        return response

    def _note_browser(self, request: HttpRequest) -> None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        seen = request.session.get(_SEEN)
        if not request.session.session_key or seen is None:
            if request.session.session_key and "_auth_user_id" in request.session:
                request.session[_SEEN] = clock.now().isoformat()
            return
        now = clock.now()
        if now - datetime.fromisoformat(seen) > SEEN_EVERY:
            request.session[_SEEN] = now.isoformat()
            note_browser(session_key=request.session.session_key, now=now)
