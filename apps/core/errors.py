"""Errors that a person or a program can act on: each has a stable code and an HTTP status.

An action's own errors subclass one of these and stand on top of the file that raises them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of the input."""

    field: str
    code: str
    message: str


class ProductError(Exception):
    """Something went wrong in a way that we foresaw; `detail` says what the user can do."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    default_detail: ClassVar[str] = "Try again; if it happens again, the request id helps to find out why."

    def __init__(
        self,
        detail: str | None = None,
        *,
        problems: Sequence[FieldProblem] = (),
        retry_after: int | None = None,
    ) -> None:
        self.detail = detail or self.default_detail
        self.problems = tuple(problems)
        self.retry_after = retry_after
        super().__init__(self.detail)


class InvalidError(ProductError):
    """The values sent cannot be accepted."""

    code = "invalid"
    status = 422
    title = "Some values cannot be accepted"
    default_detail = "Correct the fields named in errors and send the request again."


class UnauthenticatedError(ProductError):
    """Nobody is signed in, or the token is not accepted."""

    code = "not_authenticated"
    status = 401
    title = "Sign in first"
    default_detail = "Sign in, or send a valid token in the Authorization header."


class DeniedError(ProductError):
    """Who is signed in may not do this."""

    code = "permission_denied"
    status = 403
    title = "Not allowed"
    default_detail = "Your account or token has no right to do this."


class NotFoundError(ProductError):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"
    status = 404
    title = "Not found"
    default_detail = "There is nothing here. Check the address."


class ConflictError(ProductError):
    """The request contradicts the present state."""

    code = "conflict"
    status = 409
    title = "Conflict"
    default_detail = "Read the present state and decide again."


class TooManyError(ProductError):
    """Too many requests in too short a time."""

    code = "throttled"
    status = 429
    title = "Too many requests"
    default_detail = "Wait as long as Retry-After says and try again."


class UnavailableError(ProductError):
    """Something we depend on does not answer at the moment."""

    code = "unavailable"
    status = 503
    title = "Not available at the moment"
    default_detail = "Try again in a moment; nothing was lost."
