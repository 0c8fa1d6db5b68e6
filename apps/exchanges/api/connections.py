"""REST: which exchanges there are, trying and connecting keys, and connections."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions.callers import request_meta
from apps.accounts.permissions import Interactive, RecentSignIn, person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import ApiView, operation
from apps.exchanges import serializers as shapes
from apps.exchanges.actions import connecting, parting
from apps.exchanges.actions.offering import supported
from apps.exchanges.queries.connections import connection_of, connections_of
from apps.exchanges.queries.standings import stand

KEY_FIELDS = ("api_key", "api_secret", "passphrase")
_TAGS = ["exchanges"]


def _wish(values: Mapping[str, Any]) -> connecting.Wish:
    return connecting.Wish(
        exchange=values["exchange"],
        fields={name: values.get(name) for name in KEY_FIELDS},
        label=values["label"],
        portfolio_id=values["portfolio"],
        account_id=values["account"],
        hints=tuple(values["hints"]),
        history_from=values["history_from"],
    )


class SupportedView(ApiView):
    """The exchanges that can be connected."""

    @operation(summary="Exchanges to connect", response=shapes.OfferSerializer(many=True), tags=_TAGS)
    def get(self, _request: Request) -> Response:
        return self.results(supported(), shapes.OfferSerializer)


class TestView(ApiView):
    """Tries a key and keeps nothing. A personal token cannot: keys are given by people."""

    permission_classes = (RecentSignIn,)
    throttle_scope = "keys"

    @operation(
        summary="Try a key",
        description=(
            "Asks the exchange step by step; the first step that fails is the last one. `rights` says what the key may "
            "do, null where the exchange does not tell."
        ),
        request=shapes.WishSerializer,
        response=shapes.TestedSerializer,
        tags=_TAGS,
    )
    def post(self, request: Request) -> Response:
        wish = _wish(self.parse(shapes.WishSerializer))
        tested = connecting.test_key(user=person_of(request), wish=wish, now=clock.now())
        return self.answer(shapes.TestedSerializer, tested)


class ConnectView(ApiView):
    """Connects an exchange."""

    permission_classes = (RecentSignIn,)
    throttle_scope = "keys"
    refuses_with: ClassVar[Sequence[int]] = (409,)
    answers_in_transaction = False

    @operation(
        summary="Connect an exchange",
        description=(
            "Tries the key first. One that can withdraw or transfer is refused (`key_can_withdraw`), and so is one "
            "that the exchange does not know (`credentials_rejected`). The first sync is queued."
        ),
        request=shapes.WishSerializer,
        response=shapes.ConnectionSerializer,
        status=201,
        tags=_TAGS,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        wish, now = _wish(self.parse(shapes.WishSerializer)), clock.now()
        made = connecting.connect(
            user=person_of(request), wish=wish, now=now, request_meta=request_meta(request=request)
        )
        return self.answer(shapes.ConnectionSerializer, stand(connections=[made], now=now)[0], status=201)


class ConnectionsView(ApiView):
    """One's connections."""

    @operation(
        summary="Your connections",
        description="With how they stand, how complete their history is, and their last sync. Never with a key.",
        response=shapes.ConnectionSerializer(many=True),
        tags=_TAGS,
    )
    def get(self, request: Request) -> Response:
        rows = stand(connections=list(connections_of(user=person_of(request)).order_by("id")), now=clock.now())
        return self.results(rows, shapes.ConnectionSerializer)


class ConnectionView(ApiView):
    """One connection."""

    refuses_with: ClassVar[Sequence[int]] = (404, 409, 503)

    def get_permissions(self) -> Sequence[Any]:
        """Let no personal token part with a key."""
        return [Interactive()] if self.request.method == "DELETE" else super().get_permissions()

    @operation(summary="A connection", response=shapes.ConnectionSerializer, tags=_TAGS)
    def get(self, request: Request, connection_id: UUID) -> Response:
        return self._answer(connection_id, request)

    @operation(
        summary="Change a connection",
        description=(
            "Its label, whether it is paused, markets to look at, or its key: `api_key` and `api_secret` (and "
            "`passphrase`) together, of the same account at the exchange. A new key needs a sign-in not older than ten "
            "minutes, and is tried before the old one is forgotten."
        ),
        request=shapes.ChangeSerializer,
        response=shapes.ConnectionSerializer,
        tags=_TAGS,
    )
    def patch(self, request: Request, connection_id: UUID) -> Response:
        user, now, meta = person_of(request), clock.now(), request_meta(request=request)
        connection_of(user=user, connection_id=connection_id)
        values = self.parse(shapes.ChangeSerializer, partial=True)
        key = {name: values.pop(name) for name in KEY_FIELDS if name in values}
        if key:
            RecentSignIn().has_permission(request, self)
        connecting.change(user=user, connection_id=connection_id, **values, key=key, now=now, request_meta=meta)
        return self._answer(connection_id, request)

    @operation(
        summary="Disconnect",
        description=(
            "Its key is deleted here; delete it at the exchange too. `history=keep` leaves what was read in the "
            "ledger, `remove` takes it out of what counts."
        ),
        query=shapes.HistorySerializer,
        status=204,
        tags=_TAGS,
    )
    def delete(self, request: Request, connection_id: UUID) -> Response:
        user = person_of(request)
        connection_of(user=user, connection_id=connection_id)
        values = self.parse_query(shapes.HistorySerializer)
        parting.disconnect(
            user=user,
            connection_id=connection_id,
            history=parting.History(values["history"]),
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return self.nothing()

    def _answer(self, connection_id: UUID, request: Request) -> Response:
        found = connection_of(user=person_of(request), connection_id=connection_id)
        return self.answer(shapes.ConnectionSerializer, stand(connections=[found], now=clock.now())[0])


class ForgetKeysView(ApiView):
    """Every key of one's own, forgotten at once."""

    permission_classes = (RecentSignIn,)

    @operation(
        summary="Forget all keys",
        description="Deletes every exchange key of yours. Connections and history stay, and wait for new keys.",
        response=shapes.ForgottenSerializer,
        tags=_TAGS,
    )
    def post(self, request: Request) -> Response:
        done = parting.forget_keys(user=person_of(request), now=clock.now(), request_meta=request_meta(request=request))
        return self.answer(shapes.ForgottenSerializer, done)
