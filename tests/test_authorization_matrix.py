"""Every operation of the API document for every kind of caller. An operation without a line in the table fails."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.domain.grants import Scope
from apps.accounts.models import Invite, PersonalToken, Preferences, RefreshFamily, Role, User
from apps.accounts.tests.factories import PASSWORD, make_tokens
from apps.core import clock
from apps.operations.models import SelfCheck
from apps.portfolios.tests.factories import raw_buy
from tests.cast import ITEM, MISSING, Cast, bearer, fresh_access, ids_of, make_cast, personal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

#: Who may: everybody; whoever is signed in (also with a personal token of the right scope); whoever signed in
#: themselves; the same within ten minutes; those who run the instance; the same without a personal token.
OPEN, SIGNED_IN, INTERACTIVE, RECENT, RUNS, RUNS_RECENT = "open", "signed in", "interactive", "recent", "runs", "runs+"

EXPECTED = {
    "GET /health": OPEN,
    "GET /health/live": OPEN,
    "GET /health/ready": OPEN,
    "GET /health/startup": OPEN,
    "GET /metrics": RUNS,
    "GET /api/v1/assets": SIGNED_IN,
    "GET /api/v1/assets/{symbol}": SIGNED_IN,
    "GET /api/v1/assets/{symbol}/codes": SIGNED_IN,
    "POST /api/v1/assets/{symbol}/codes": RUNS,
    "POST /api/v1/assets/{symbol}/merge": RUNS,
    "GET /api/v1/audit": SIGNED_IN,
    "POST /api/v1/auth/login": OPEN,
    "POST /api/v1/auth/logout": INTERACTIVE,
    "GET /api/v1/auth/me": SIGNED_IN,
    "PATCH /api/v1/auth/me": SIGNED_IN,
    "DELETE /api/v1/auth/me": RECENT,
    "GET /api/v1/auth/mfa": INTERACTIVE,
    "GET /api/v1/auth/mfa/passkeys": INTERACTIVE,
    "POST /api/v1/auth/mfa/passkeys": RECENT,
    "DELETE /api/v1/auth/mfa/passkeys/{passkey_id}": RECENT,
    "POST /api/v1/auth/mfa/passkeys/options": RECENT,
    "GET /api/v1/auth/mfa/recovery-codes": RECENT,
    "POST /api/v1/auth/mfa/recovery-codes": RECENT,
    "POST /api/v1/auth/mfa/totp": RECENT,
    "DELETE /api/v1/auth/mfa/totp": RECENT,
    "POST /api/v1/auth/mfa/totp/confirm": RECENT,
    "POST /api/v1/auth/mfa/verify": OPEN,
    "POST /api/v1/auth/passkey/login": OPEN,
    "POST /api/v1/auth/passkey/options": OPEN,
    "POST /api/v1/auth/password": INTERACTIVE,
    "POST /api/v1/auth/password/reset": OPEN,
    "POST /api/v1/auth/password/reset/confirm": OPEN,
    "GET /api/v1/auth/preferences": SIGNED_IN,
    "PUT /api/v1/auth/preferences": SIGNED_IN,
    "POST /api/v1/auth/reauthenticate": INTERACTIVE,
    "POST /api/v1/auth/refresh": OPEN,
    "POST /api/v1/auth/register": OPEN,
    "GET /api/v1/auth/sessions": INTERACTIVE,
    "DELETE /api/v1/auth/sessions/{session_id}": INTERACTIVE,
    "GET /api/v1/auth/tokens": INTERACTIVE,
    "POST /api/v1/auth/tokens": RECENT,
    "DELETE /api/v1/auth/tokens/{token_id}": RECENT,
    "GET /api/v1/candles": SIGNED_IN,
    "GET /api/v1/candles/quarantine": SIGNED_IN,
    "POST /api/v1/candles/quarantine/{candle_id}/discard": RUNS,
    "POST /api/v1/candles/quarantine/{candle_id}/release": RUNS,
    "POST /api/v1/exchanges/connect": RECENT,
    "GET /api/v1/exchanges/connections": SIGNED_IN,
    "GET /api/v1/exchanges/connections/{connection_id}": SIGNED_IN,
    "PATCH /api/v1/exchanges/connections/{connection_id}": SIGNED_IN,
    "DELETE /api/v1/exchanges/connections/{connection_id}": INTERACTIVE,
    "GET /api/v1/exchanges/connections/{connection_id}/runs": SIGNED_IN,
    "POST /api/v1/exchanges/connections/{connection_id}/sync": SIGNED_IN,
    "POST /api/v1/exchanges/forget-keys": RECENT,
    "GET /api/v1/exchanges/supported": SIGNED_IN,
    "POST /api/v1/exchanges/sync-all": SIGNED_IN,
    "POST /api/v1/exchanges/test": RECENT,
    "GET /api/v1/import-templates": SIGNED_IN,
    "POST /api/v1/import-templates": SIGNED_IN,
    "POST /api/v1/import-templates/fitting": SIGNED_IN,
    "GET /api/v1/import-templates/{template_id}": SIGNED_IN,
    "PATCH /api/v1/import-templates/{template_id}": SIGNED_IN,
    "DELETE /api/v1/import-templates/{template_id}": SIGNED_IN,
    "GET /api/v1/instruments": SIGNED_IN,
    "GET /api/v1/instruments/{name}": SIGNED_IN,
    "GET /api/v1/instruments/{name}/quality": SIGNED_IN,
    "GET /api/v1/invites": RUNS,
    "POST /api/v1/invites": RUNS_RECENT,
    "DELETE /api/v1/invites/{invite_id}": RUNS,
    "POST /api/v1/live/ticket": SIGNED_IN,
    "GET /api/v1/operations/console": RUNS,
    "GET /api/v1/operations/jobs": RUNS,
    "POST /api/v1/operations/jobs/{job_id}/cancel": RUNS,
    "POST /api/v1/operations/jobs/{job_id}/retry": RUNS,
    "GET /api/v1/operations/self-check": RUNS,
    "POST /api/v1/operations/self-check": RUNS,
    "GET /api/v1/people": RUNS,
    "GET /api/v1/people/{person_id}": RUNS,
    "PATCH /api/v1/people/{person_id}": RUNS_RECENT,
    "GET /api/v1/portfolios": SIGNED_IN,
    "POST /api/v1/portfolios": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}": SIGNED_IN,
    "PATCH /api/v1/portfolios/{portfolio_id}": SIGNED_IN,
    "DELETE /api/v1/portfolios/{portfolio_id}": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/accounts": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/accounts": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/accounts/{account_id}": SIGNED_IN,
    "PATCH /api/v1/portfolios/{portfolio_id}/accounts/{account_id}": SIGNED_IN,
    "DELETE /api/v1/portfolios/{portfolio_id}/accounts/{account_id}": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/allocation": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/batches": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/batches/{batch_id}": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/batches/{batch_id}/undo": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/completeness": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/export": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/frozen-years": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/frozen-years": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/frozen-years/{year}": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/frozen-years/{year}/accept": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/frozen-years/{year}/unlock": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/gains": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/history": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/holdings": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/imports": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/imports": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/imports/{import_id}": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/imports/{import_id}/commit": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/imports/{import_id}/undo": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/lots": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/performance": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/shares": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/shares": INTERACTIVE,
    "DELETE /api/v1/portfolios/{portfolio_id}/shares/{share_id}": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/transfers": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/transfers/addresses": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/transfers/answers": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/transfers/answers": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/transfers/answers/preview": SIGNED_IN,
    "DELETE /api/v1/portfolios/{portfolio_id}/transfers/answers/{answer_id}": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/transfers/match": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/transfers/unmatch": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/policy": SIGNED_IN,
    "PUT /api/v1/portfolios/{portfolio_id}/policy": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/policy/preview": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/reconciliation": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/sell-simulation": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/transactions": SIGNED_IN,
    "POST /api/v1/portfolios/{portfolio_id}/transactions": SIGNED_IN,
    "GET /api/v1/portfolios/{portfolio_id}/transactions/{transaction_id}": SIGNED_IN,
    "PATCH /api/v1/portfolios/{portfolio_id}/transactions/{transaction_id}": SIGNED_IN,
    "DELETE /api/v1/portfolios/{portfolio_id}/transactions/{transaction_id}": SIGNED_IN,
    "GET /api/v1/rates": SIGNED_IN,
    "GET /api/v1/tickers": SIGNED_IN,
    "GET /api/v1/watchlists": SIGNED_IN,
    "POST /api/v1/watchlists": SIGNED_IN,
    "PUT /api/v1/watchlists/order": SIGNED_IN,
    "GET /api/v1/watchlists/{watchlist_id}": SIGNED_IN,
    "PATCH /api/v1/watchlists/{watchlist_id}": SIGNED_IN,
    "DELETE /api/v1/watchlists/{watchlist_id}": SIGNED_IN,
    "POST /api/v1/watchlists/{watchlist_id}/items": SIGNED_IN,
    "PUT /api/v1/watchlists/{watchlist_id}/order": SIGNED_IN,
    "PATCH /api/v1/watchlists/{watchlist_id}/items/{item_id}": SIGNED_IN,
    "DELETE /api/v1/watchlists/{watchlist_id}/items/{item_id}": SIGNED_IN,
}
#: POSTs that change nothing: a token that may read is enough.
READS_BY_POST = {"POST /api/v1/live/ticket"}
#: What an owner is told who sends too little: the thing itself is there.
WANTS_MORE = {
    "GET /api/v1/portfolios/{portfolio_id}/sell-simulation": 422,
    "POST /api/v1/portfolios/{portfolio_id}/imports": 415,
    "POST /api/v1/portfolios/{portfolio_id}/transfers/answers": 422,
    "POST /api/v1/portfolios/{portfolio_id}/transfers/answers/preview": 422,
    "POST /api/v1/portfolios/{portfolio_id}/transfers/match": 422,
    "POST /api/v1/portfolios/{portfolio_id}/transfers/unmatch": 422,
}
#: Path parameters that name something of one person; the others name something of the instance.
OWNED = {
    *("passkey_id", "session_id", "token_id", "watchlist_id", "item_id", "template_id"),
    *("portfolio_id", "account_id", "transaction_id", "batch_id", "import_id", "answer_id", "share_id", "year"),
    "connection_id",
}
OF_THE_INSTANCE = {"candle_id", "invite_id", "job_id", "person_id", "symbol", "name"}
#: What an operation on somebody's own thing is sent, where it wants something.
BODIES: dict[str, dict[str, object]] = {
    "PATCH /api/v1/watchlists/{watchlist_id}": {"name": "Long"},
    "POST /api/v1/watchlists/{watchlist_id}/items": {"instrument": "kraken:ETH/USD"},
    "PUT /api/v1/watchlists/{watchlist_id}/order": {"ids": [ITEM]},
    "PATCH /api/v1/watchlists/{watchlist_id}/items/{item_id}": {"note": "Wait"},
    "PATCH /api/v1/portfolios/{portfolio_id}": {"name": "Short"},
    "PUT /api/v1/portfolios/{portfolio_id}/policy": {"policy": {"method": "lifo"}},
    "POST /api/v1/portfolios/{portfolio_id}/policy/preview": {"policy": {"method": "lifo"}},
    "POST /api/v1/portfolios/{portfolio_id}/accounts": {"name": "Cold"},
    "POST /api/v1/portfolios/{portfolio_id}/frozen-years": {"year": 2023},
    "POST /api/v1/portfolios/{portfolio_id}/frozen-years/{year}/unlock": {"reason": "Filed by mistake"},
    "PATCH /api/v1/portfolios/{portfolio_id}/accounts/{account_id}": {"name": "Cold"},
    "POST /api/v1/portfolios/{portfolio_id}/shares": {"purpose": "portfolio"},
    "POST /api/v1/portfolios/{portfolio_id}/transactions": raw_buy(),
    "PATCH /api/v1/portfolios/{portfolio_id}/transactions/{transaction_id}": {"amount": "2"},
}


@dataclass(frozen=True)
class Caller:
    """One kind of caller: how it gets its token, what it passes, and how it is turned away elsewhere."""

    token: Callable[[Cast], str]
    passes: set[str]
    refusal: int
    only_reads: bool = False

    def status(self, operation: str) -> int | None:
        """Return the status of the refusal, None where it passes."""
        kind = EXPECTED[operation]
        if kind == OPEN:
            return None
        reads = operation.startswith("GET ") or operation in READS_BY_POST
        return None if kind in self.passes and (reads or not self.only_reads) else self.refusal


def _expired(cast: Cast) -> str:
    return make_tokens(user=cast.member, now=clock.now() - timedelta(minutes=31)).access


def _ended(cast: Cast) -> str:
    access = fresh_access(cast.member)
    RefreshFamily.objects.update(ended_at=clock.now())
    return access


def _revoked(cast: Cast) -> str:
    token = personal(cast.member, Scope.ADMIN)
    PersonalToken.objects.update(revoked_at=clock.now())
    return token


def _kept_out(cast: Cast) -> str:
    access = fresh_access(cast.member)
    User.objects.filter(pk=cast.member.pk).update(is_active=False)
    return access


def _stale(user: User) -> str:
    access = fresh_access(user)
    RefreshFamily.objects.filter(user=user).update(authenticated_at=clock.now() - timedelta(minutes=11))
    return access


PEOPLE = {SIGNED_IN, INTERACTIVE, RECENT}
THOSE_WHO_RUN_IT = {*PEOPLE, RUNS, RUNS_RECENT}
CALLERS = {
    "anonymous": Caller(lambda _cast: "", set(), 401),
    "expired": Caller(_expired, set(), 401),
    "session ended": Caller(_ended, set(), 401),
    "personal token revoked": Caller(_revoked, set(), 401),
    "kept out": Caller(_kept_out, set(), 401),
    "viewer": Caller(lambda cast: fresh_access(cast.viewer), PEOPLE, 403),
    "member": Caller(lambda cast: fresh_access(cast.member), PEOPLE, 403),
    "member, signed in long ago": Caller(lambda cast: _stale(cast.member), {SIGNED_IN, INTERACTIVE}, 403),
    "member, token to read": Caller(lambda cast: personal(cast.member, Scope.READ), {SIGNED_IN}, 403, only_reads=True),
    "member, token with all": Caller(lambda cast: personal(cast.member, Scope.ADMIN), {SIGNED_IN}, 403),
    "admin": Caller(lambda cast: fresh_access(cast.admin), THOSE_WHO_RUN_IT, 403),
    "owner": Caller(lambda cast: fresh_access(cast.owner), THOSE_WHO_RUN_IT, 403),
    "owner, signed in long ago": Caller(lambda cast: _stale(cast.owner), {SIGNED_IN, INTERACTIVE, RUNS}, 403),
    "owner, token to read": Caller(lambda cast: personal(cast.owner, Scope.READ), {SIGNED_IN}, 403, only_reads=True),
    "owner, token to write": Caller(lambda cast: personal(cast.owner, Scope.WRITE), {SIGNED_IN}, 403),
    "owner, token to administer": Caller(lambda cast: personal(cast.owner, Scope.ADMIN), {SIGNED_IN, RUNS}, 403),
}


class Operation(NamedTuple):
    """One operation of the document."""

    method: str
    path: str
    parameters: tuple[str, ...]

    @property
    def label(self) -> str:
        """Return its line in the table."""
        return f"{self.method} {self.path}"


def _operations() -> Iterator[Operation]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            names = (one["name"] for one in operation.get("parameters", []) if one["in"] == "path")
            yield Operation(method.upper(), path, tuple(names))


OPERATIONS = list(_operations())
WITH_OWNED = [operation for operation in OPERATIONS if set(operation.parameters) & OWNED]


@pytest.fixture
def cast(db: None) -> Cast:
    """An instance full of people; the owner has a passkey too."""
    made = make_cast()
    Authenticator.objects.create(user=made.owner, type=Authenticator.Type.WEBAUTHN, data={"name": "Key"})
    make_tokens(user=made.owner)
    return made


def call(operation: Operation, *, token: str, ids: dict[str, str], body: object = None) -> HttpResponse:
    """Send the operation."""
    data = "" if operation.method in {"GET", "DELETE"} else json.dumps(body or {})
    path = operation.path.format(**ids)
    headers = bearer(token) if token else {}
    response: Any = Client().generic(operation.method, path, data, content_type="application/json", headers=headers)
    if response.streaming:
        return HttpResponse(response.getvalue(), status=response.status_code)
    assert isinstance(response, HttpResponse)
    return response


def find(label: str) -> Operation:
    """Return the operation with this line in the table."""
    return next(operation for operation in OPERATIONS if operation.label == label)


def answer_of(response: HttpResponse) -> dict[str, Any]:
    """Return what an error says, apart from the request's own id."""
    return {"status": response.status_code, **json.loads(response.content), "request_id": ""}


def test_every_operation_has_its_line() -> None:
    assert {operation.label for operation in OPERATIONS} == set(EXPECTED)
    assert {name for operation in OPERATIONS for name in operation.parameters} <= OWNED | OF_THE_INSTANCE


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_table_holds_for_every_caller(operation: Operation) -> None:
    wrong, cast = {}, make_cast()
    for name, caller in CALLERS.items():
        status = _status_for(operation, caller, cast)
        refused, expected = status in {401, 403}, caller.status(operation.label)
        if status >= 500 or (status != expected if expected else refused):
            wrong[name] = (status, expected or "passes")
    assert wrong == {}


def _status_for(operation: Operation, caller: Caller, cast: Cast) -> int:
    """Ask once, and undo what it did."""
    with transaction.atomic():
        token = caller.token(cast)
        ids = dict.fromkeys(OWNED, MISSING) | dict(ids_of(cast=cast, user=cast.viewer))
        status = call(operation, token=token, ids=ids).status_code
        transaction.set_rollback(True)
    return status


@pytest.mark.parametrize("operation", WITH_OWNED, ids=lambda operation: operation.label)
def test_what_belongs_to_another_is_not_there(cast: Cast, operation: Operation) -> None:
    theirs, body = dict(ids_of(cast=cast, user=cast.owner)), BODIES.get(operation.label)
    theirs["passkey_id"] = str(Authenticator.objects.get(user=cast.owner, type=Authenticator.Type.WEBAUTHN).pk)
    for stranger in (cast.member, cast.admin):
        token = fresh_access(stranger)
        foreign = call(operation, token=token, ids=theirs, body=body)
        missing = call(operation, token=token, ids=dict.fromkeys(OWNED, MISSING), body=body)
        assert foreign.status_code == 404
        assert answer_of(foreign) == answer_of(missing)
    own = call(operation, token=fresh_access(cast.owner), ids=theirs, body=body)
    there = {WANTS_MORE.get(operation.label, 0), 200, 201, 202, 204}
    assert own.status_code in there  # it was there all the time


@pytest.mark.parametrize(
    "label", [label for label, kind in EXPECTED.items() if "{" in label and kind in {RUNS, RUNS_RECENT}]
)
def test_who_may_not_ask_learns_nothing_from_an_id(cast: Cast, label: str) -> None:
    token, ids = fresh_access(cast.member), dict(ids_of(cast=cast, user=cast.owner))
    present = call(find(label), token=token, ids=ids)
    missing = call(find(label), token=token, ids=dict.fromkeys(OF_THE_INSTANCE, MISSING))
    assert present.status_code == 403
    assert answer_of(present) == answer_of(missing)
    assert SelfCheck.objects.get(pk=cast.job.pk).state == cast.job.state
    assert Invite.objects.filter(pk=cast.invite_id, revoked_at=None).exists()


#: What nobody sets by sending it.
FORCED = {
    "role": "owner",
    "is_staff": True,
    "is_superuser": True,
    "is_active": False,
    "is_demo": True,
    "email": "taken@example.com",
    "password": "another password entirely",
    "id": MISSING,
    "user": MISSING,
    "user_id": MISSING,
    "owner": MISSING,
    "created_at": "2001-01-01T00:00:00Z",
    "last_login": "2001-01-01T00:00:00Z",
}


def _of(user: User) -> dict[str, Any]:
    return dict(User.objects.filter(pk=user.pk).values().get())


@pytest.mark.parametrize(
    ("label", "body"),
    [
        ("PATCH /api/v1/auth/me", {"display_name": "Mika Member"}),
        ("PUT /api/v1/auth/preferences", {"theme": "light"}),
        ("POST /api/v1/auth/tokens", {"name": "mine"}),
    ],
)
def test_a_member_gives_themself_nothing(cast: Cast, label: str, body: dict[str, object]) -> None:
    before = {user.pk: _of(user) for user in User.objects.all()}
    response = call(find(label), token=fresh_access(cast.member), ids={}, body={**FORCED, **body})
    assert response.status_code < 300
    assert {user.pk: _of(user) for user in User.objects.all()} == before
    assert PersonalToken.objects.exclude(user__in=(cast.member, cast.owner)).count() == 0
    assert Preferences.objects.exclude(user=cast.member).filter(theme="light").count() == 0
    assert PersonalToken.objects.filter(name="mine").exclude(scopes="read").count() == 0


def test_who_registers_gets_no_more_than_anybody(cast: Cast) -> None:
    body = {**FORCED, "email": "new@example.com", "password": PASSWORD}
    response = call(find("POST /api/v1/auth/register"), token="", ids={}, body=body)
    assert response.status_code == 201
    new = User.objects.get(email="new@example.com")
    assert (new.role, new.is_staff, new.is_active, new.is_demo, new.last_login) == (
        Role.MEMBER,
        False,
        True,
        False,
        None,
    )
    assert str(new.pk) != MISSING
    assert new.created_at.year > 2001


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_an_admin_makes_nobody_owner_or_admin(cast: Cast, role: Role) -> None:
    token = fresh_access(cast.admin)
    for person in (cast.member, cast.admin, cast.owner):
        if person.role == role:
            continue
        ids = {"person_id": str(person.pk)}
        response = call(find("PATCH /api/v1/people/{person_id}"), token=token, ids=ids, body={"role": role})
        assert response.status_code == 403
        assert _of(person)["role"] == person.role
    invite = call(find("POST /api/v1/invites"), token=token, ids={}, body={"role": role})
    assert invite.status_code in {403, 422}


def test_an_admin_changes_of_a_person_what_is_offered(cast: Cast) -> None:
    before = _of(cast.member)
    body = {**FORCED, "role": "viewer", "is_active": True}
    ids = {"person_id": str(cast.member.pk)}
    response = call(find("PATCH /api/v1/people/{person_id}"), token=fresh_access(cast.admin), ids=ids, body=body)
    assert response.status_code == 200
    assert _of(cast.member) == {**before, "role": "viewer"}
