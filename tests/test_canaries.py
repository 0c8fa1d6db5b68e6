"""The hunt for canaries: secrets are entered and given out, then looked for wherever they must not be."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from django.contrib import admin
from django.core import mail
from django.db import connection
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from psycopg import sql

from apps.accounts import tasks
from apps.accounts.actions import record_audit
from apps.accounts.api.account import PreferencesView
from apps.accounts.models import AuditEntry, Role, User
from apps.accounts.tests.factories import Api, body_of, make_user, totp_code
from apps.core import cache, clock
from apps.core.testing import SentTask, run_on_commit

pytestmark = pytest.mark.django_db

PASSWORD = 'Canary "päss\\word" 7391 + more/less?'
WRONG = "Canary of a wrong passphrase 5520/+"
RESET = "Canary of another passphrase 8814/+"


def shapes_of(secret: str) -> set[bytes]:
    """Return the secret as it could be written down: raw, hex, URL-encoded, in JSON, and in Base64 at any offset."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), quote(secret, safe="").encode()}
    found |= {quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode()}
    found.add(json.dumps(secret, ensure_ascii=False)[1:-1].encode())
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw).rstrip(b"=")
        inner = text[4 if offset else 0 : -1]  # what does not depend on its neighbors
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {shape for shape in found if len(shape) >= 8}


def hits(secrets: dict[str, str], place: bytes) -> list[str]:
    """Return the names of the secrets that the place gives away."""
    return [name for name, secret in secrets.items() if any(shape in place for shape in shapes_of(secret))]


def database_text() -> bytes:
    """Return every row of every table as text."""
    lines = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(table)))
            lines += [f"{table} {row}" for (row,) in cursor.fetchall()]
    return "\n".join(lines).encode()


def redis_text() -> bytes:
    """Return every key with its value."""
    client: Any = cache.redis_client()
    readers = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
    }
    return b"\n".join(key + b" " + _raw(readers[client.type(key)](key)) for key in client.scan_iter())


def _raw(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    parts = [part for pair in value.items() for part in pair] if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
    return b" ".join(_raw(part) for part in parts)


def admin_pages(owner: User, models: Iterable[type[Model]] = ()) -> Iterator[bytes]:
    """Return every list of the admin, or some of them, and the page of its first rows."""
    client = Client()
    client.force_login(owner)
    for model in models or admin.site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        yield client.get(base).content
        for row in model._default_manager.all()[:5]:
            yield client.get(f"{base}{row.pk}/change/").content


@pytest.fixture
def owner() -> User:
    """Somebody who runs the instance and looks at everything."""
    return make_user(email="owner@example.com", role=Role.OWNER)


class Story:
    """A person who uses everything that is secret; each secret under its name, and all answers to mistakes."""

    def __init__(self, sent_tasks: list[SentTask]) -> None:
        self.secrets = {"password": PASSWORD, "wrong password": WRONG, "new password": RESET}
        self.refusals: list[bytes] = []
        self._sent, self._email = sent_tasks, "canary@example.com"

    def play(self) -> None:
        """Live through all of it."""
        Api().post("auth/register", {"email": self._email, "password": PASSWORD})
        api = self._sign_in(PASSWORD)
        self._set_up(api)
        self._make_mistakes(api)
        self._forget_password()

    def _sign_in(self, password: str) -> Api:
        answer = body_of(Api().post("auth/login", {"email": self._email, "password": password}))
        self.secrets |= {"access": answer["access"], "refresh": answer["refresh"], "device": answer["device"]}
        return Api(token=answer["access"])

    def _set_up(self, api: Api) -> None:
        offer = body_of(api.post("auth/mfa/totp"))
        values = {"ticket": offer["ticket"], "code": totp_code(offer["secret"])}
        codes = body_of(api.post("auth/mfa/totp/confirm", values))["recovery_codes"]
        self.secrets |= {"seed": offer["secret"], "set-up ticket": offer["ticket"]}
        self.secrets |= {f"recovery code {number}": code for number, code in enumerate(codes)}
        token = api.post("auth/tokens", {"name": "canary"}, HTTP_IDEMPOTENCY_KEY="once")
        self.secrets["personal token"] = body_of(token)["token"]
        assert body_of(api.post("auth/tokens", {"name": "canary"}, HTTP_IDEMPOTENCY_KEY="once")) == body_of(token)
        self.secrets["live ticket"] = body_of(api.post("live/ticket"))["ticket"]
        ticket = body_of(Api().post("auth/login", {"email": self._email, "password": PASSWORD}))["ticket"]
        self.secrets["sign-in ticket"] = ticket
        refreshed = body_of(Api().post("auth/refresh", {"refresh": self.secrets["refresh"]}))
        self.secrets |= {"next access": refreshed["access"], "next refresh": refreshed["refresh"]}

    def _make_mistakes(self, api: Api) -> None:
        token, code = self.secrets["personal token"], self.secrets["recovery code 0"]
        answers = [
            Api().post("auth/login", {"email": self._email, "password": WRONG}),
            Api().post("auth/login", {"email": PASSWORD, "password": PASSWORD}),
            Api().post("auth/login", {"email": self._email, "password": [PASSWORD]}),
            Api().post("auth/register", {"email": self._email, "password": PASSWORD, "invite": token}),
            Api().post("auth/mfa/verify", {"ticket": self.secrets["seed"], "code": code}),
            Api().post("auth/mfa/verify", {"ticket": token, "code": PASSWORD}),
            Api().post("auth/refresh", {"refresh": self.secrets["refresh"]}),
            Api().post("auth/refresh", {"refresh": PASSWORD}),
            Api().post("auth/password/reset/confirm", {"key": token, "new_password": PASSWORD}),
            Api(token=token + "x").get("auth/me"),
            Api(token=token).delete("auth/tokens/00000000-0000-7000-8000-000000000007"),
            api.put("auth/preferences", {"theme": PASSWORD, "time_zone": token, "locale": code}),
            api.get(f"audit?cursor={quote(token)}&limit={quote(PASSWORD)}"),
            api.get(f"auth/me?token={quote(token)}&password={quote(PASSWORD)}"),
            Api().client.generic(
                "POST",
                "/api/v1/auth/login",
                json.dumps({"password": PASSWORD, "token": token})[:-2],
                content_type="application/json",
            ),
            Api().client.post("/account/login/", {"login": self._email, "password": WRONG}),
            Api().client.post("/account/login/", {"login": PASSWORD, "password": PASSWORD + token}),
        ]
        # what a form shows again is what was typed where it may be seen: the address
        bodies = [bytes(getattr(answer, "content", b"")) for answer in answers]
        self.refusals = [body for body in bodies if b"<form" not in body]

    def _forget_password(self) -> None:
        with run_on_commit():
            Api().post("auth/password/reset", {"email": self._email})
        for task in list(self._sent):
            if task.name == "accounts.run_letter":
                tasks.run_letter(**task.keywords)
        body = next(message.body for message in mail.outbox if "/password/reset/" in message.body)
        key = body.partition("/account/")[2].split()[0].rstrip("/").rsplit("/", 1)[1]
        self.secrets["reset key"] = key.partition("-")[2] or key
        assert Api().post("auth/password/reset/confirm", {"key": key, "new_password": RESET}).status_code == 204


def test_no_secret_is_left_anywhere(
    sent_tasks: list[SentTask],
    owner: User,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story(sent_tasks)
    with run_on_commit():
        story.play()
    with monkeypatch.context() as patched:
        patched.setattr(PreferencesView, "put", _broken)
        story.refusals.append(_send_to_broken(story).content)
    captured = capfd.readouterr()
    console = Client()
    console.force_login(owner)
    places = {
        "log": (captured.out + captured.err + caplog.text).encode(),
        "database": database_text(),
        "Redis": redis_text(),
        "tasks": repr(sent_tasks).encode(),
        "refusals": b"\n".join(story.refusals),
        "admin": b"\n".join(admin_pages(owner)),
        "console": b"".join(console.get(path).content for path in ("/operations/", "/people/", "/metrics")),
        "API": b"".join(console.get(f"/api/v1/{path}").content for path in ("people", "audit?scope=all", "invites")),
    }
    assert b"Audit" in places["log"]
    assert b"planted: password=" in places["log"]
    assert b"canary@example.com" in places["database"]
    assert b"canary@example.com" in places["admin"]
    assert len(story.secrets) > 20
    assert {name: found for name, place in places.items() if (found := hits(story.secrets, place))} == {}


def _broken(_view: object, request: object) -> None:
    raise RuntimeError(f"planted: password={PASSWORD!r} token={getattr(request, 'auth', '')!r}")


def _send_to_broken(story: Story) -> HttpResponse:
    api = Api(client=Client(raise_request_exception=False))
    api.client.force_login(User.objects.get(email="canary@example.com"))
    return api.put("auth/preferences", {"password": PASSWORD, "time_zone": story.secrets["seed"]})


@pytest.mark.parametrize("shape", sorted(shapes_of("Canary/7391 of the hunt+")))
def test_the_hunt_finds_what_is_planted(owner: User, shape: bytes) -> None:
    secrets = {"planted": "Canary/7391 of the hunt+"}
    record_audit(actor=owner, action="test.planted", target=shape.decode()[:100], now=clock.now())
    cache.redis_client().rpush("planted", b"before " + shape + b" after")
    assert hits(secrets, database_text()) == ["planted"]
    assert hits(secrets, redis_text()) == ["planted"]
    assert hits(secrets, b"\n".join(admin_pages(owner, [AuditEntry]))) == ["planted"]
