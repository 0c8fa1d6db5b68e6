"""REST: authenticator app, recovery codes, passkeys. A personal token reaches none of them."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import serializers as shapes
from apps.accounts.actions import second_factor
from apps.accounts.actions.callers import request_meta
from apps.accounts.permissions import Interactive, RecentSignIn, person_of
from apps.accounts.queries import second_factors_of
from apps.core import clock
from apps.core.api.views import ApiView, operation


class SecondFactorsView(ApiView):
    """What is set up."""

    permission_classes = (Interactive,)

    @operation(summary="Your second factors", response=shapes.SecondFactorsSerializer)
    def get(self, request: Request) -> Response:
        return self.answer(shapes.SecondFactorsSerializer, second_factors_of(user=person_of(request)))


class TotpView(ApiView):
    """The authenticator app."""

    permission_classes = (RecentSignIn,)

    @operation(summary="Begin with an authenticator app", response=shapes.TotpOfferSerializer)
    def post(self, request: Request) -> Response:
        return self.answer(
            shapes.TotpOfferSerializer, second_factor.offer_totp(user=person_of(request), now=clock.now())
        )

    @operation(summary="Remove the authenticator app", status=204)
    def delete(self, request: Request) -> Response:
        meta = request_meta(request=request)
        second_factor.turn_off_totp(user=person_of(request), now=clock.now(), request_meta=meta)
        return self.nothing()


class TotpConfirmView(ApiView):
    """The first code of the authenticator app."""

    permission_classes = (RecentSignIn,)

    @operation(
        summary="Turn the authenticator app on",
        description="Returns recovery codes where there were none.",
        request=shapes.TotpConfirmSerializer,
        response=shapes.RecoveryCodesSerializer,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.TotpConfirmSerializer)
        codes = second_factor.confirm_totp(
            user=person_of(request), **values, now=clock.now(), request_meta=request_meta(request=request)
        )
        return self.answer(shapes.RecoveryCodesSerializer, {"recovery_codes": codes})


class RecoveryCodesView(ApiView):
    """Recovery codes."""

    permission_classes = (RecentSignIn,)

    @operation(summary="The recovery codes that are left", response=shapes.RecoveryCodesSerializer)
    def get(self, request: Request) -> Response:
        codes = second_factor.show_recovery_codes(
            user=person_of(request), now=clock.now(), request_meta=request_meta(request=request)
        )
        return self.answer(shapes.RecoveryCodesSerializer, {"recovery_codes": codes})

    @operation(summary="Make new recovery codes", response=shapes.RecoveryCodesSerializer)
    def post(self, request: Request) -> Response:
        codes = second_factor.renew_recovery_codes(
            user=person_of(request), now=clock.now(), request_meta=request_meta(request=request)
        )
        return self.answer(shapes.RecoveryCodesSerializer, {"recovery_codes": codes})


class PasskeysView(ApiView):
    """Passkeys."""

    permission_classes = (RecentSignIn,)

    def get_permissions(self) -> Sequence[Any]:
        """Let a person look at the list without a fresh proof."""
        return [Interactive()] if self.request.method == "GET" else super().get_permissions()

    @operation(summary="Your passkeys", response=shapes.PasskeySerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.results(second_factors_of(user=person_of(request)).passkeys, shapes.PasskeySerializer)

    @operation(
        summary="Add a passkey",
        description="With the browser's answer to the options of `auth/mfa/passkeys/options`.",
        request=shapes.PasskeyAddSerializer,
        response=shapes.PasskeyAddedSerializer,
        status=201,
    )
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.PasskeyAddSerializer)
        passkey, codes = second_factor.add_passkey(
            user=person_of(request), **values, now=clock.now(), request_meta=request_meta(request=request)
        )
        shown = {**shapes.PasskeySerializer(passkey).data, "recovery_codes": codes}
        return Response(shown, status=201)


class PasskeyOptionsView(ApiView):
    """What the browser needs to make a passkey."""

    permission_classes = (RecentSignIn,)

    @operation(summary="Begin with a passkey", response=shapes.CeremonySerializer)
    def post(self, request: Request) -> Response:
        ticket, options = second_factor.offer_passkey(user=person_of(request), now=clock.now())
        return self.answer(shapes.CeremonySerializer, {"ticket": ticket, "options": options})


class PasskeyView(ApiView):
    """One passkey."""

    permission_classes = (RecentSignIn,)

    @operation(summary="Remove a passkey", status=204)
    def delete(self, request: Request, passkey_id: str) -> Response:
        meta = request_meta(request=request)
        second_factor.remove_passkey(user=person_of(request), passkey_id=passkey_id, now=clock.now(), request_meta=meta)
        return self.nothing()
