"""The REST door of the live socket: one ticket a connection."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.domain.grants import Grant
from apps.core.api.views import ApiView, operation
from apps.core.errors import UnauthenticatedError
from apps.live import actions, queries
from apps.live.domain.bonds import Bond, SignIn
from apps.live.serializers import TicketSerializer


class TicketView(ApiView):
    """Hands out tickets for the live socket."""

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
    user_id = request.user.pk
    if isinstance(request.auth, Grant) and request.auth.personal_token_id is not None:
        return Bond(user_id=user_id, sign_in=SignIn.PERSONAL_TOKEN, reference=str(request.auth.personal_token_id))
    if isinstance(request.auth, Grant) and request.auth.family_id is not None:
        return Bond(user_id=user_id, sign_in=SignIn.FAMILY, reference=str(request.auth.family_id))
    reference = queries.session_reference(session_key=request.session.session_key or "")
    if reference is None:
        raise UnauthenticatedError
    return Bond(user_id=user_id, sign_in=SignIn.SESSION, reference=reference)
