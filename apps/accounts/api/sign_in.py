"""REST: register, sign in, refresh, sign out, prove one's identity again."""

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import serializers as shapes
from apps.accounts.actions import program_sessions, registration, sign_in
from apps.accounts.actions.callers import refuse_plain_http, renew_session_proof, request_meta
from apps.accounts.permissions import Interactive, grant_of, person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import ApiView, operation
from apps.core.errors import InvalidError

LOGIN_ANSWER = PolymorphicProxySerializer(
    component_name="LoginAnswer",
    serializers=[shapes.SignedInSerializer, shapes.SecondFactorNeededSerializer],
    resource_type_field_name=None,
)


class OpenDoor(ApiView):
    """A view for whoever has not signed in yet; a token that is sent along is not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    refuses_with: ClassVar[Sequence[int]] = (401, 403)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's
        """Refuse a password that came readable through a network, before anything else is looked at."""
        super().initial(request, *args, **kwargs)
        refuse_plain_http(request=request)


class RegisterView(OpenDoor):
    """New accounts."""

    answers_in_transaction = False

    @operation(
        summary="Register",
        description="Makes an account; the first one owns the instance. Open, by invite, or closed.",
        request=shapes.RegisterSerializer,
        response=shapes.UserSerializer,
        status=201,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.RegisterSerializer)
        user = registration.register(**values, now=clock.now(), request_meta=request_meta(request=request))
        return self.answer(shapes.UserSerializer, user, status=201)


class LoginView(OpenDoor):
    """Sign-in with a password."""

    @operation(
        summary="Sign in",
        description="Returns tokens, or a ticket for `auth/mfa/verify` where a second factor is set up.",
        request=shapes.LoginSerializer,
        response=LOGIN_ANSWER,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.LoginSerializer)
        outcome = sign_in.sign_in_program(
            email=values["email"],
            password=values["password"],
            now=clock.now(),
            request_meta=request_meta(request=request, device_token=values["device"]),
        )
        if isinstance(outcome, sign_in.SecondFactorNeeded):
            return self.answer(shapes.SecondFactorNeededSerializer, outcome)
        return self.answer(shapes.SignedInSerializer, outcome)


class SecondFactorView(OpenDoor):
    """The second step of a sign-in."""

    @operation(
        summary="Finish a sign-in with a second factor",
        request=shapes.SecondFactorSerializer,
        response=shapes.SignedInSerializer,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.SecondFactorSerializer)
        signed_in = sign_in.verify_second_factor(
            ticket=values["ticket"],
            code=values["code"],
            credential=values["credential"],
            now=clock.now(),
            request_meta=request_meta(request=request, device_token=values["device"]),
        )
        return self.answer(shapes.SignedInSerializer, signed_in)


class PasskeySignInOptionsView(OpenDoor):
    """The first step of a sign-in with a passkey."""

    @operation(summary="Begin a sign-in with a passkey", response=shapes.CeremonySerializer)
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        ticket, options = sign_in.begin_passkey_sign_in(now=clock.now())
        return self.answer(shapes.CeremonySerializer, {"ticket": ticket, "options": options})


class PasskeySignInView(OpenDoor):
    """The second step of a sign-in with a passkey."""

    @operation(
        summary="Sign in with a passkey", request=shapes.PasskeySignInSerializer, response=shapes.SignedInSerializer
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.PasskeySignInSerializer)
        signed_in = sign_in.sign_in_with_passkey(
            ticket=values["ticket"],
            credential=values["credential"],
            now=clock.now(),
            request_meta=request_meta(request=request, device_token=values["device"]),
        )
        return self.answer(shapes.SignedInSerializer, signed_in)


class RefreshView(OpenDoor):
    """The next pair of tokens."""

    @operation(
        summary="Refresh",
        description="Spends the refresh token and returns the next pair. A spent one ends the whole session.",
        request=shapes.RefreshSerializer,
        response=shapes.TokenPairSerializer,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.RefreshSerializer)
        pair = program_sessions.refresh_family(
            refresh=values["refresh"], now=clock.now(), request_meta=request_meta(request=request)
        )
        return self.answer(shapes.TokenPairSerializer, pair)


class LogoutView(ApiView):
    """The end of a program's session."""

    permission_classes = (AllowAny,)

    @operation(
        summary="Sign out",
        description="Ends the session of the refresh token in the body, or else of the access token in the header.",
        request=shapes.LogoutSerializer,
        status=204,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.LogoutSerializer)
        meta = request_meta(request=request)
        if values["refresh"]:
            program_sessions.end_by_refresh_token(refresh=values["refresh"], now=clock.now(), request_meta=meta)
            return self.nothing()
        Interactive().has_permission(request, self)
        family_id = grant_of(request).family_id
        if family_id is None:
            raise InvalidError("Send the access token of the session to end, or its refresh token.")
        program_sessions.end_family(user=person_of(request), family_id=family_id, now=clock.now(), request_meta=meta)
        return self.nothing()


class ReauthenticateView(ApiView):
    """A proof of who is signed in."""

    permission_classes = (Interactive,)

    @operation(
        summary="Prove who you are",
        description="Password or code; afterwards, for ten minutes, sign-in methods, tokens and keys can be changed.",
        request=shapes.ReauthenticateSerializer,
        status=204,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.ReauthenticateSerializer)
        now = clock.now()
        sign_in.prove_identity(user=person_of(request), **values, now=now, request_meta=request_meta(request=request))
        family_id = grant_of(request).family_id
        if family_id is None:
            renew_session_proof(request=request)
        else:
            program_sessions.renew_proof(family_id=family_id, now=now)
        return self.nothing()
