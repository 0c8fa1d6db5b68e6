"""REST for those who run the instance: people, roles, invites."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import queries
from apps.accounts import serializers as shapes
from apps.accounts.actions import people, registration
from apps.accounts.actions.callers import request_meta
from apps.accounts.models import Role
from apps.accounts.permissions import RecentSignIn, RunsInstance, person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import ApiView, operation


class PeopleView(ApiView):
    """Everybody with an account."""

    permission_classes = (RunsInstance,)
    ordering = ("id",)

    @operation(summary="People", response=shapes.UserSerializer(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        return self.page(queries.people(), shapes.UserSerializer)


class PersonView(ApiView):
    """One person."""

    permission_classes = (RunsInstance, RecentSignIn)

    def get_permissions(self) -> Sequence[Any]:
        """Let those who run the instance look at a person without a fresh proof."""
        return [RunsInstance()] if self.request.method == "GET" else super().get_permissions()

    @operation(summary="A person", response=shapes.UserSerializer)
    def get(self, request: Request, person_id: UUID) -> Response:  # noqa: ARG002 - the framework's signature
        return self.answer(shapes.UserSerializer, queries.person_by_id(person_id=person_id))

    @operation(
        summary="Change a person's role, or keep them out",
        request=shapes.PersonChangeSerializer,
        response=shapes.UserSerializer,
    )
    def patch(self, request: Request, person_id: UUID) -> Response:
        values = self.parse(shapes.PersonChangeSerializer, partial=True)
        person = people.manage_person(
            actor=person_of(request),
            person_id=person_id,
            role=Role(values["role"]) if "role" in values else None,
            is_active=values.get("is_active"),
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return self.answer(shapes.UserSerializer, person)


class InvitesView(ApiView):
    """Invites that can still be used."""

    permission_classes = (RunsInstance, RecentSignIn)
    seals_answer = True
    ordering = ("-id",)

    def get_permissions(self) -> Sequence[Any]:
        """Let those who run the instance look at the list without a fresh proof."""
        return [RunsInstance()] if self.request.method == "GET" else super().get_permissions()

    @operation(summary="Open invites", response=shapes.InviteSerializer(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        return self.page(queries.open_invites(now=clock.now()), shapes.InviteSerializer)

    @operation(
        summary="Invite somebody",
        description="The link is in this answer and nowhere else; it works once, for seven days.",
        request=shapes.InviteRequestSerializer,
        response=shapes.NewInviteSerializer,
        status=201,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.InviteRequestSerializer)
        invite, token = registration.make_invite(
            actor=person_of(request),
            role=Role(values["role"]),
            note=values["note"],
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        shown = {**shapes.InviteSerializer(invite).data, "token": token, "link": shapes.invite_link(token)}
        return Response(shown, status=201)


class InviteView(ApiView):
    """One invite."""

    permission_classes = (RunsInstance,)

    @operation(summary="Take back an invite", status=204)
    def delete(self, request: Request, invite_id: UUID) -> Response:
        registration.revoke_invite(
            actor=person_of(request),
            invite_id=invite_id,
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return self.nothing()
