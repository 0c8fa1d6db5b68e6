"""Whatever is sent, the answer is a refusal and never a fault of ours."""

import pytest

from apps.accounts.tests.factories import PASSWORD, Api, api_of, body_of, make_owner, make_totp, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

WORDS = [
    "",
    " ",
    "é" * 8,
    "١٢٣٤٥٦",
    "0" * 20,
    "💥",
    "-1",
    "1e9",
    "a.b.c",
    "../..",
    "%s",
    "' OR 1=1 --",
    "None",
    "browser-",
]


@pytest.mark.parametrize("word", WORDS)
def test_words_in_place_of_secrets(word: str) -> None:
    user = make_user()
    make_totp(user=user)
    ticket = body_of(Api().post("auth/login", {"email": user.email, "password": PASSWORD}))["ticket"]
    api = api_of(user)
    offer = body_of(api.post("auth/mfa/totp"))["ticket"]
    answers = {
        "verify": Api().post("auth/mfa/verify", {"ticket": ticket, "code": word}),
        "ticket": Api().post("auth/mfa/verify", {"ticket": word, "code": word, "device": word}),
        "login": Api().post("auth/login", {"email": user.email, "password": word, "device": word}),
        "refresh": Api().post("auth/refresh", {"refresh": word}),
        "confirm": api.post("auth/mfa/totp/confirm", {"ticket": offer, "code": word}),
        "proof": api.post("auth/reauthenticate", {"password": word, "code": word}),
        "reset": Api().post("auth/password/reset/confirm", {"key": word, "new_password": "a long enough one"}),
        "bearer": Api(token=f"cs_pat_{word}".encode().decode("latin-1")).get("auth/me"),
        "invite": Api().post("auth/register", {"email": "n@x.example", "password": "short", "invite": word}),
        "session": api.delete(f"auth/sessions/{word.strip() or 'x'}"),
    }
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert all(400 <= status < 500 for status in statuses.values()), statuses


@pytest.mark.parametrize("body", [None, [], "text", 7, {"email": {}}, {"email": ["a"]}, {"password": None}, {"x": 1}])
@pytest.mark.parametrize(
    "path",
    [
        "auth/register",
        "auth/login",
        "auth/mfa/verify",
        "auth/passkey/login",
        "auth/refresh",
        "auth/password/reset",
        "auth/password/reset/confirm",
    ],
)
def test_bodies_of_another_shape(path: str, body: object) -> None:
    answer = Api().post(path, body)
    assert answer.status_code in {400, 422}
    assert body_of(answer)["errors"] or body_of(answer)["detail"]


@pytest.mark.parametrize(
    "body", [[], "text", {"role": 1}, {"is_active": "perhaps"}, {"scopes": "read"}, {"role": None}]
)
def test_bodies_of_another_shape_from_who_runs_the_instance(body: object) -> None:
    api, person = api_of(make_owner()), make_user()
    for method, path in [("PATCH", f"people/{person.pk}"), ("POST", "auth/tokens"), ("PUT", "auth/preferences")]:
        assert api.send(method, path, body).status_code in {200, 400, 422}
    assert api.get("audit?scope=everything").status_code == 422
    assert api.get("audit?limit=0").status_code == 422
