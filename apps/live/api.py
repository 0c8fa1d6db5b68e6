"""The REST door of the live socket: one ticket a connection."""

from datetime import UTC, datetime
from typing import ClassVar

import jwt
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.domain.grants import Grant
from apps.core.api.views import ApiView, operation
from apps.core.errors import UnauthenticatedError
from apps.live import actions, queries
from apps.live.domain.bonds import Bond, SignIn
from apps.live.serializers import TicketSerializer


class TicketView(ApiView):
    """Hands out tickets for the live socket. A ticket opens a view and changes nothing: reading is right enough."""

    permission_classes = [IsAuthenticated]
    reads_by_post: ClassVar[bool] = True

    @operation(
        summary="Get a ticket for the live socket",
        description="Good once and for 30 seconds; `url` is where to connect, ticket included. "
        "Answers 503 `live_paused` while nothing can be pushed.",
        response=TicketSerializer,
        tags=["live"],
    )
    def post(self, request: Request) -> Response:
        """Make a ticket for the sign-in that asks."""
        response = self.answer(TicketSerializer, actions.issue_ticket(bond=_bond_of(request)))
        response["Cache-Control"] = "no-store"
        return response


def _bond_of(request: Request) -> Bond:
    """Return the sign-in that this request came with; the socket lives no longer than it."""
    user_id, grant = request.user.pk, request.auth
    if user_id is None:
        raise UnauthenticatedError
    if isinstance(grant, Grant) and grant.personal_token_id is not None:
        return Bond(user_id=user_id, sign_in=SignIn.PERSONAL_TOKEN, reference=str(grant.personal_token_id))
    if isinstance(grant, Grant) and grant.family_id is not None:
        reference, expires_at = str(grant.family_id), _end_of_access_token(request)
        return Bond(user_id=user_id, sign_in=SignIn.FAMILY, reference=reference, expires_at=expires_at)
    session = queries.session_reference(session_key=request.session.session_key or "")
    if session is None:
        raise UnauthenticatedError
    return Bond(user_id=user_id, sign_in=SignIn.SESSION, reference=session)


def _end_of_access_token(request: Request) -> datetime:
    """Read when the token runs out; that it is genuine was checked before anybody came here."""
    token = request.META["HTTP_AUTHORIZATION"].partition(" ")[2].strip()
    expires_at = jwt.decode(token, options={"verify_signature": False})["exp"]
    return datetime.fromtimestamp(int(expires_at), UTC)
