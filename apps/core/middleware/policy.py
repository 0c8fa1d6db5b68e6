"""The content policy: made once and filled in, not put together for every answer."""

from collections.abc import Callable

from csp.constants import HEADER, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from csp.middleware import CheckableLazyObject, CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

ADMIN_PREFIX = "/admin/"
_PLACE = "the-nonce-of-this-answer"


class PolicyMiddleware(CSPMiddleware):
    """django-csp's header. Only an answer with a policy of its own, as the admin's, is put together anew."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self._plain = build_policy()
        self._with_nonce = build_policy(nonce=_PLACE)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Write the header, unless the answer brings one."""
        if settings.DEBUG or any(name.startswith("_csp_") for name in vars(response)):
            return super().process_response(request, response)
        nonce: str | None = getattr(request, "_csp_nonce", None)
        policy = self._plain if nonce is None else self._with_nonce.replace(_PLACE, nonce)
        response.headers.setdefault(HEADER, policy)
        if nonce is None:  # whoever asks for one now is told that it is too late
            request.csp_nonce = CheckableLazyObject(self._csp_nonce_post_response)  # type: ignore[attr-defined]
        return response


class AdminPolicyMiddleware:
    """Let the admin's own scripts and styles work: its theme evaluates attributes and styles elements in place.

    Nothing there comes from strangers' input unescaped, and only those who run the instance get in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        relaxed = csp_update({"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]})
        self.relaxed: Callable[[HttpRequest], HttpResponseBase] = relaxed(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.relaxed if request.path_info.startswith(ADMIN_PREFIX) else self.get_response
        return answer(request)
