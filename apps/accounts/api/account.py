"""REST: oneself, preferences, passwords."""

from collections.abc import Sequence
from typing import Any

from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import serializers as shapes
from apps.accounts.actions import passwords, people
from apps.accounts.actions.callers import keep_session, request_meta
from apps.accounts.api.sign_in import OpenDoor
from apps.accounts.permissions import Interactive, RecentSignIn, grant_of, person_of
from apps.accounts.queries import preferences_of
from apps.core import clock
from apps.core.api.views import ApiView, operation


class MeView(ApiView):
    """Oneself."""

    permission_classes = (IsAuthenticated,)

    def get_permissions(self) -> Sequence[Any]:
        """Ask for a recent sign-in before an account is deleted."""
        return [RecentSignIn()] if self.request.method == "DELETE" else super().get_permissions()

    @operation(summary="Your account", response=shapes.UserSerializer)
    def get(self, request: Request) -> Response:
        return self.answer(shapes.UserSerializer, request.user)

    @operation(summary="Change your name", request=shapes.ProfileSerializer, response=shapes.UserSerializer)
    def patch(self, request: Request) -> Response:
        values = self.parse(shapes.ProfileSerializer, partial=True)
        name = values.get("display_name", person_of(request).display_name)
        meta = request_meta(request=request)
        user = people.update_profile(user=person_of(request), display_name=name, now=clock.now(), request_meta=meta)
        return self.answer(shapes.UserSerializer, user)

    @operation(summary="Delete your account", description="And everything of yours, at once and for good.", status=204)
    def delete(self, request: Request) -> Response:
        meta = request_meta(request=request)
        people.delete_account(user=person_of(request), now=clock.now(), request_meta=meta)
        return self.nothing()


class PreferencesView(ApiView):
    """How a person wants to see the product."""

    permission_classes = (IsAuthenticated,)

    @operation(summary="Your preferences", response=shapes.PreferencesSerializer)
    def get(self, request: Request) -> Response:
        return self.answer(shapes.PreferencesSerializer, preferences_of(user=person_of(request)))

    @operation(
        summary="Set your preferences",
        description="What the body does not name goes back to its default.",
        request=shapes.PreferencesSerializer,
        response=shapes.PreferencesSerializer,
    )
    def put(self, request: Request) -> Response:
        values = self.parse(shapes.PreferencesSerializer)
        return self.answer(
            shapes.PreferencesSerializer, people.save_preferences(user=person_of(request), values=values)
        )


class PasswordView(ApiView):
    """One's password."""

    permission_classes = (Interactive,)

    @operation(
        summary="Change your password",
        description="Every other session ends.",
        request=shapes.PasswordChangeSerializer,
        status=204,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.PasswordChangeSerializer)
        passwords.change_password(
            user=person_of(request),
            current=values["current_password"],
            password=values["new_password"],
            family_id=grant_of(request).family_id,
            session_key=request.session.session_key or "",
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        if grant_of(request).family_id is None:
            keep_session(request=request, user=person_of(request))
        return self.nothing()


class PasswordResetView(OpenDoor):
    """Asking for a new password."""

    permission_classes = (AllowAny,)

    @operation(
        summary="Ask for a new password",
        description="The answer is the same whether there is such an account or not.",
        request=shapes.PasswordResetSerializer,
        status=202,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.PasswordResetSerializer)
        meta = request_meta(request=request)
        passwords.request_password_reset(email=values["email"], now=clock.now(), request_meta=meta)
        return Response(status=202)


class PasswordResetConfirmView(OpenDoor):
    """Setting a new password with the key from a mail."""

    permission_classes = (AllowAny,)

    @operation(
        summary="Set a new password",
        description="With the key at the end of the mail's link. Every session ends.",
        request=shapes.PasswordResetConfirmSerializer,
        status=204,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.PasswordResetConfirmSerializer)
        meta = request_meta(request=request)
        passwords.reset_password(key=values["key"], password=values["new_password"], now=clock.now(), request_meta=meta)
        return self.nothing()
