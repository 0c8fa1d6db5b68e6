"""The OpenAPI document: every operation states how it can fail, who may call it and what it takes."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

from apps.core.api.problems import CONTENT_TYPE, DOCS_PATH

_Document = dict[str, Any]
_REFUSALS = {
    400: "The body cannot be read.",
    401: "Nobody is signed in, or the token is not accepted.",
    403: "Who is signed in may not do this.",
    404: "There is nothing here, or it belongs to somebody else.",
    409: "The request contradicts the present state.",
    413: "The body is too large.",
    415: "This content type is not accepted here.",
    422: "Some values cannot be accepted; `errors` names them.",
    429: "Too many requests; `Retry-After` says when to try again.",
    503: "Something we depend on does not answer; `Retry-After` says when to try again.",
}
_WITH_RETRY_AFTER = {429, 503}
_TEXT: _Document = {"type": "string"}
_FIELD_PROBLEM: _Document = {
    "type": "object",
    "required": ["field", "code", "message"],
    "properties": {"field": _TEXT, "code": _TEXT, "message": _TEXT},
}
_PROBLEM: _Document = {
    "type": "object",
    "description": f"Problem details (RFC 9457). The codes stand on {DOCS_PATH}.",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string", "example": f"{DOCS_PATH}#invalid"},
        "title": {"type": "string", "example": "Some values cannot be accepted"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "example": 422},
        "code": {"type": "string", "description": "Stable; compare this one.", "example": "invalid"},
        "detail": {"type": "string", "description": "What can be done about it."},
        "errors": {"type": "array", "items": _FIELD_PROBLEM},
        "request_id": {"type": "string", "description": "Stands in our log lines, and in X-Request-ID."},
    },
}


class ApiSchema(AutoSchema):
    """drf-spectacular's description of an operation, and its refusals."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> _Document | None:
        """Return the operation with a problem answer for each way it can be refused."""
        operation: _Document | None = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is None:
            return None
        kind = ResolvedComponent.SCHEMA
        problem = ResolvedComponent(name="Problem", type=kind, schema=_PROBLEM, object="Problem")  # type: ignore[no-untyped-call]
        registry.register_on_missing(problem)
        for status in sorted(self._refusals(operation)):
            operation["responses"].setdefault(str(status), _refusal(status, problem.ref))
        return operation

    def _refusals(self, operation: _Document) -> set[int]:
        """Return every status with which this operation can be refused."""
        names = {parameter["in"] for parameter in operation.get("parameters", [])}
        writes = self.method != "GET"
        possible = {503, *getattr(self.view, "refuses_with", ())}
        if self.view.get_authenticators():
            possible |= {401, 403}
        if self.view.get_throttles():
            possible |= {429}
        if "requestBody" in operation or "header" in names:
            possible |= {400, 413, 415, 422}
        if names & {"query", "header"} or writes:
            possible |= {422}
        if "path" in names:
            possible |= {404}
        return possible | ({409} if writes else set())


def _refusal(status: int, reference: _Document) -> _Document:
    answer: _Document = {"description": _REFUSALS[status], "content": {CONTENT_TYPE: {"schema": reference}}}
    if status in _WITH_RETRY_AFTER:
        seconds = {"type": "integer", "minimum": 1}
        answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": seconds}}
    return answer


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tokens in the Authorization header, whichever class reads them."""

    target_class = "rest_framework.authentication.BaseAuthentication"
    match_subclasses = True
    name = "bearer"
    priority = -2

    def get_security_definition(self, _auto_schema: AutoSchema) -> _Document:
        """Describe the header."""
        words = "An access token from signing in, or a personal access token (`cs_pat_…`)."
        return {"type": "http", "scheme": "bearer", "description": words}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The browser's session."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    match_subclasses = True
    name = "session"
    priority = 1

    def get_security_definition(self, _auto_schema: AutoSchema) -> _Document:
        """Describe the cookie."""
        words = "A browser's session; what changes something needs the CSRF token in X-CSRFToken too."
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": words}
