"""REST: personal tokens, sessions, the audit log."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import serializers as shapes
from apps.accounts.actions import personal_tokens, sessions
from apps.accounts.actions.callers import request_meta
from apps.accounts.domain.grants import Scope
from apps.accounts.permissions import Interactive, RecentSignIn, RunsInstance, grant_of, person_of
from apps.accounts.queries import audit_of, audit_of_all, personal_tokens_of, sessions_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import ApiView, operation
from apps.core.errors import DeniedError

DEFAULT_LIFE = timedelta(days=90)


class PersonalTokensView(ApiView):
    """Personal tokens; a personal token never reaches them."""

    permission_classes = (RecentSignIn,)
    seals_answer = True
    ordering = ("-id",)

    def get_permissions(self) -> Sequence[Any]:
        """Let a person look at the list without a fresh proof."""
        return [Interactive()] if self.request.method == "GET" else super().get_permissions()

    @operation(summary="Your personal tokens", response=shapes.PersonalTokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.page(personal_tokens_of(user=person_of(request)), shapes.PersonalTokenSerializer)

    @operation(
        summary="Make a personal token",
        description="Its text is in this answer and nowhere else. Each scope covers the ones before it.",
        request=shapes.PersonalTokenRequestSerializer,
        response=shapes.NewPersonalTokenSerializer,
        status=201,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.PersonalTokenRequestSerializer)
        now = clock.now()
        row, text = personal_tokens.make_personal_token(
            user=person_of(request),
            name=values["name"],
            scopes=[Scope(scope) for scope in values["scopes"]],
            expires_at=values["expires_at"] or now + DEFAULT_LIFE,
            now=now,
            request_meta=request_meta(request=request),
        )
        return Response({**shapes.PersonalTokenSerializer(row).data, "token": text}, status=201)


class PersonalTokenView(ApiView):
    """One personal token."""

    permission_classes = (RecentSignIn,)

    @operation(summary="Revoke a personal token", status=204)
    def delete(self, request: Request, token_id: UUID) -> Response:
        personal_tokens.revoke_personal_token(
            user=person_of(request),
            token_id=token_id,
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return self.nothing()


class SessionsView(ApiView):
    """Sessions of browsers and programs."""

    permission_classes = (Interactive,)

    @operation(summary="Your sessions", response=shapes.SessionSerializer(many=True))
    def get(self, request: Request) -> Response:
        found = sessions_of(
            user=person_of(request),
            now=clock.now(),
            family_id=grant_of(request).family_id,
            session_key=request.session.session_key or "",
        )
        return self.results(found, shapes.SessionSerializer)


class SessionView(ApiView):
    """One session. Ending one is always allowed: it is what a person does when something is wrong."""

    permission_classes = (Interactive,)

    @operation(summary="End a session", status=204)
    def delete(self, request: Request, session_id: str) -> Response:
        sessions.end_session(
            user=person_of(request),
            session_id=session_id,
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return self.nothing()


class AuditView(ApiView):
    """The audit log, the newest first."""

    permission_classes = (IsAuthenticated,)
    ordering = ("-id",)

    @operation(
        summary="What was done",
        description="Your own acts and what was done to your account; `scope=all` for those who run the instance.",
        query=shapes.AuditQuerySerializer,
        response=shapes.AuditEntrySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        if self.parse_query(shapes.AuditQuerySerializer)["scope"] == "own":
            return self.page(audit_of(user=person_of(request)), shapes.AuditEntrySerializer)
        if not RunsInstance().has_permission(request, self):
            raise DeniedError("Only those who run the instance see the whole log.")
        return self.page(audit_of_all(), shapes.AuditEntrySerializer)
