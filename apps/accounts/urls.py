"""Addresses of the accounts: sign-in pages of allauth, our own pages, REST."""

from allauth.account import urls as account_urls
from allauth.mfa import urls as mfa_urls
from allauth.usersessions import urls as usersessions_urls
from django.urls import URLPattern, URLResolver, include, path

from apps.accounts import views
from apps.accounts.api import access, account, people, second_factor, sign_in

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", views.profile, name="profile"),
    path("account/delete/", views.delete_account, name="delete_account"),
    path("account/preferences/", views.preferences, name="preferences"),
    path("account/activity/", views.activity, name="audit"),
    path("account/security/", views.security, name="security"),
    path("account/security/sessions/end-others/", views.end_other_sessions, name="end_other_sessions"),
    path("account/security/sessions/<str:session_id>/end/", views.end_session, name="end_session"),
    path("account/security/tokens/new/", views.make_token, name="make_token"),
    path("account/security/tokens/<uuid:token_id>/revoke/", views.revoke_token, name="revoke_token"),
    path("people/", views.people, name="people"),
    path("people/activity/", views.audit_log, name="audit_log"),
    path("people/invites/", views.invite, name="invite"),
    path("people/invites/<uuid:invite_id>/revoke/", views.revoke_invite, name="revoke_invite"),
    path("people/<uuid:person_id>/", views.change_person, name="change_person"),
]

#: allauth's pages keep their own names, without a namespace: `account_login`, `mfa_index`, ...
sign_in_urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/login/", views.admin_login),
    path("account/2fa/", views.to_security),
    path("account/2fa/webauthn/", views.to_security),
    path("account/browsers/", views.to_security),
    path("account/", include(account_urls)),
    path("account/2fa/", include(mfa_urls)),
    path("account/browsers/", include(usersessions_urls)),
]

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/register", sign_in.RegisterView.as_view(), name="register"),
    path("auth/login", sign_in.LoginView.as_view(), name="login"),
    path("auth/mfa/verify", sign_in.SecondFactorView.as_view(), name="second-factor"),
    path("auth/passkey/options", sign_in.PasskeySignInOptionsView.as_view(), name="passkey-sign-in-options"),
    path("auth/passkey/login", sign_in.PasskeySignInView.as_view(), name="passkey-sign-in"),
    path("auth/refresh", sign_in.RefreshView.as_view(), name="refresh"),
    path("auth/logout", sign_in.LogoutView.as_view(), name="logout"),
    path("auth/reauthenticate", sign_in.ReauthenticateView.as_view(), name="reauthenticate"),
    path("auth/password", account.PasswordView.as_view(), name="password"),
    path("auth/password/reset", account.PasswordResetView.as_view(), name="password-reset"),
    path("auth/password/reset/confirm", account.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("auth/me", account.MeView.as_view(), name="me"),
    path("auth/preferences", account.PreferencesView.as_view(), name="preferences"),
    path("auth/mfa", second_factor.SecondFactorsView.as_view(), name="second-factors"),
    path("auth/mfa/totp", second_factor.TotpView.as_view(), name="totp"),
    path("auth/mfa/totp/confirm", second_factor.TotpConfirmView.as_view(), name="totp-confirm"),
    path("auth/mfa/recovery-codes", second_factor.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("auth/mfa/passkeys", second_factor.PasskeysView.as_view(), name="passkeys"),
    path("auth/mfa/passkeys/options", second_factor.PasskeyOptionsView.as_view(), name="passkey-options"),
    path("auth/mfa/passkeys/<str:passkey_id>", second_factor.PasskeyView.as_view(), name="passkey"),
    path("auth/tokens", access.PersonalTokensView.as_view(), name="personal-tokens"),
    path("auth/tokens/<uuid:token_id>", access.PersonalTokenView.as_view(), name="personal-token"),
    path("auth/sessions", access.SessionsView.as_view(), name="sessions"),
    path("auth/sessions/<str:session_id>", access.SessionView.as_view(), name="session"),
    path("audit", access.AuditView.as_view(), name="audit"),
    path("people", people.PeopleView.as_view(), name="people"),
    path("people/<uuid:person_id>", people.PersonView.as_view(), name="person"),
    path("invites", people.InvitesView.as_view(), name="invites"),
    path("invites/<uuid:invite_id>", people.InviteView.as_view(), name="invite"),
]
