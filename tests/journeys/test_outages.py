"""The product while Redis or PostgreSQL is away: what still answers, how the rest refuses, and how it comes back."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.journeys.outside import Outside
from tests.journeys.product import Product, housed, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

RECOVERY_LIMIT = 10.0
SLOWEST = 6.0  # whoever asks first finds out that the service is away; nobody waits for long
PASSWORD = "a long enough passphrase"
PAGES = ("/", "/account/", "/account/security/", "/account/preferences/", "/account/activity/", "/operations/")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    text: str
    took: float

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class Visitor:
    """A browser's or a program's side: cookies, a token, and how long each answer took."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self._port, self._from = port, (address, 0)
        self._cookies: dict[str, str] = {}
        self.token = ""

    def send(self, method: str, path: str, data: object = None, *, form: bool = False) -> Answer:
        """Ask for something; a form carries the page's CSRF token."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        payload = None
        if form:
            fields = {"csrfmiddlewaretoken": self._cookies.get("coinsphere_csrf", ""), **dict(data or {})}  # type: ignore[call-overload]
            payload, headers["Content-Type"] = urlencode(fields), "application/x-www-form-urlencoded"
        elif data is not None:
            payload, headers["Content-Type"] = json.dumps(data), "application/json"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        began_at = time.monotonic()
        connection = HTTPConnection("127.0.0.1", self._port, timeout=20, source_address=self._from)
        try:
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie") or []:
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(response.status, response.headers, text, time.monotonic() - began_at)

    def get(self, path: str) -> Answer:
        """Ask for a page or a resource."""
        return self.send("GET", path)

    def sign_in(self, email: str, password: str = PASSWORD) -> Answer:
        """Sign in on the page, as a browser."""
        self.get("/account/login/")
        return self.send("POST", "/account/login/", {"login": email, "password": password}, form=True)


@dataclass
class World:
    """A product on services that we can take away, and people in it."""

    product: Product
    outside: Outside

    @property
    def admin(self) -> dict[str, str]:
        """Return how the person signs in who runs the instance."""
        found = self.product.facts["admin"]
        assert isinstance(found, dict)
        return {"email": found["email"], "password": found["password"]}

    def visitor(self, address: str = "127.0.0.1") -> Visitor:
        """Return somebody without cookies or token."""
        return Visitor(self.product.port, address)

    def program(self, email: str) -> tuple[Visitor, dict[str, Any]]:
        """Return a program that has signed in, and its answer."""
        visitor = self.visitor()
        answer = visitor.send("POST", "/api/v1/auth/login", {"email": email, "password": PASSWORD})
        assert answer.status == 200, answer
        visitor.token = answer.body["access"]
        return visitor, answer.body

    def register(self, email: str) -> None:
        """Make a member."""
        answer = self.visitor().send("POST", "/api/v1/auth/register", {"email": email, "password": PASSWORD})
        assert answer.status == 201, answer


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    """Start it once for this module; the people stay."""
    with housed("outages") as root:
        outside = Outside(root)
        extra = {"DATABASE_URL": outside.database.url, "REDIS_URL": outside.broker.url, "REGISTRATION": "open"}
        product = Product(root / "data", extra=extra)
        try:
            outside.create()
            product.start()
            yield World(product, outside)
        finally:
            product.stop()
            outside.end()


@pytest.fixture
def world(running: World) -> Iterator[World]:
    """The product, well before and after each test."""
    wait_for(running.product.is_well, seconds=60, what="every process to be well")
    yield running
    for name, server in (("postgres", running.outside.database), ("redis", running.outside.broker)):
        if not server.accepts():
            running.outside.start(name)
    wait_for(running.product.is_well, seconds=60, what="every process to be well again")


def test_without_redis_everything_but_live_data_goes_on(world: World) -> None:
    world.register("steady@example.com")
    program, signed_in = world.program("steady@example.com")
    made = program.send("POST", "/api/v1/auth/tokens", {"name": "ours", "scopes": ["write"]})
    browser = world.visitor()
    assert browser.sign_in(**world.admin).status == 302
    world.outside.stop("redis")

    answers = {path: browser.get(path) for path in PAGES}
    token = world.visitor()
    token.token = made.body["token"]
    answers["token"] = token.send("PUT", "/api/v1/auth/preferences", {"theme": "light"})
    answers["access"] = program.get("/api/v1/auth/me")
    answers["refresh"] = world.visitor().send("POST", "/api/v1/auth/refresh", {"refresh": signed_in["refresh"]})
    answers["login"] = world.visitor().send(
        "POST", "/api/v1/auth/login", {"email": "steady@example.com", "password": PASSWORD}
    )
    answers["docs"] = world.visitor().get("/api/docs/")
    answers["ready"] = world.visitor().get("/health/ready")
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert {name: answer.took for name, answer in answers.items() if answer.took > SLOWEST} == {}
    assert world.visitor().sign_in("steady@example.com").status == 302
    world.register("later@example.com")

    wait_for(lambda: "Live data is paused" in browser.get("/").text, seconds=3, what="the page to say it")
    ticket = program.send("POST", "/api/v1/live/ticket")
    assert (ticket.status, ticket.body["code"]) == (503, "live_paused")
    assert int(ticket.headers["Retry-After"]) > 0
    health = world.visitor().get("/health").body
    assert health["status"] != "ok"

    world.outside.start("redis")
    took = wait_for(
        lambda: program.send("POST", "/api/v1/live/ticket").status == 200, seconds=RECOVERY_LIMIT, what="live tickets"
    )
    assert took < RECOVERY_LIMIT
    assert "Live data is paused" not in browser.get("/").text


def test_without_redis_guessing_is_still_limited(world: World) -> None:
    world.register("guessed@example.com")
    world.outside.stop("redis")
    body = {"email": "guessed@example.com", "password": "not the right passphrase"}
    answers = [world.visitor("127.0.0.9").send("POST", "/api/v1/auth/login", body) for _try in range(14)]
    assert {answer.status for answer in answers} == {401, 429}
    assert answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_without_the_database_everybody_is_asked_to_wait(world: World) -> None:
    world.register("patient@example.com")
    program, signed_in = world.program("patient@example.com")
    browser = world.visitor()
    assert browser.sign_in(**world.admin).status == 302
    processes = {name: world.product.process(name) for name in ("web", "live", "worker", "beat")}
    world.outside.stop("postgres")

    answers = {path: browser.get(path) for path in PAGES}
    answers |= {
        "me": program.get("/api/v1/auth/me"),
        "login": program.send("POST", "/api/v1/auth/login", {"email": "patient@example.com", "password": PASSWORD}),
        "register": program.send("POST", "/api/v1/auth/register", {"email": "n@example.com", "password": PASSWORD}),
        "refresh": program.send("POST", "/api/v1/auth/refresh", {"refresh": signed_in["refresh"]}),
        "ticket": program.send("POST", "/api/v1/live/ticket"),
        "page login": browser.sign_in("patient@example.com"),
        "admin": browser.get("/admin/"),
        "ready": program.get("/health/ready"),
        "startup": program.get("/health/startup"),
    }
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 503)
    assert {name for name, answer in answers.items() if int(answer.headers.get("Retry-After", 0)) < 1} == set()
    assert {name: answer.took for name, answer in answers.items() if answer.took > SLOWEST} == {}
    assert answers["me"].body["code"] == "unavailable"
    assert "<html" in answers["/"].text
    assert program.get("/health/live").status == 200
    health = program.get("/health")
    assert health.status == 200
    assert health.body["status"] != "ok"

    began_at = time.monotonic()
    world.outside.start("postgres")
    wait_for(lambda: program.get("/health/ready").status == 200, seconds=RECOVERY_LIMIT, what="it to be ready")
    assert program.get("/api/v1/auth/me").status == 200
    assert browser.get("/account/").status == 200
    wait_for(lambda: program.get("/health").body["status"] == "ok", seconds=RECOVERY_LIMIT, what="health")
    assert time.monotonic() - began_at < RECOVERY_LIMIT
    assert {name: world.product.process(name) for name in processes} == processes


def test_a_frozen_database_holds_nobody_up(world: World) -> None:
    world.register("frozen@example.com")
    program, _signed_in = world.program("frozen@example.com")
    browser = world.visitor()
    assert browser.sign_in(**world.admin).status == 302
    processes = {name: world.product.process(name) for name in ("web", "live", "worker", "beat")}
    world.outside.freeze("postgres")
    try:
        asked = [browser.get, program.get] * 8  # more at once than there are threads to answer them
        paths = ["/operations/", "/api/v1/auth/me"] * 8
        with ThreadPoolExecutor(len(asked)) as crowd:
            waiting = [crowd.submit(ask, path) for ask, path in zip(asked, paths, strict=True)]
            alive = [world.visitor().get("/health/live") for _ in range(3)]
            answers = [one.result() for one in waiting]
        later = [ask(path) for ask, path in zip(asked, paths, strict=True)]
        health = world.visitor().get("/health")
    finally:
        world.outside.thaw("postgres")
    assert {answer.status for answer in answers + later} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers + later)
    assert {answer.status for answer in alive} == {200}
    assert max(answer.took for answer in [*answers, *alive, *later]) < SLOWEST
    assert sum(answer.took for answer in later) < 2 * SLOWEST  # what one has found out is spared to the others
    assert (health.status, health.body["status"]) == (200, "down")

    wait_for(lambda: program.get("/api/v1/auth/me").status == 200, seconds=RECOVERY_LIMIT, what="it to answer")
    assert browser.get("/operations/").status == 200
    wait_for(lambda: program.get("/health").body["status"] == "ok", seconds=RECOVERY_LIMIT, what="health")
    assert {name: world.product.process(name) for name in processes} == processes


def test_under_load_a_restart_of_the_database_loses_nothing_and_breaks_nothing(world: World) -> None:
    world.register("busy@example.com")
    program, _signed_in = world.program("busy@example.com")
    statuses, written = [], "0"
    for turn in range(40):
        if turn == 10:
            world.outside.stop("postgres")
        if turn == 20:
            world.outside.start("postgres")
        if turn == 39:
            wait_for(lambda: program.get("/health/ready").status == 200, seconds=RECOVERY_LIMIT, what="it to be ready")
        answer = program.send("PATCH", "/api/v1/auth/me", {"display_name": str(turn)})
        statuses.append(answer.status)
        if answer.status == 200:
            written = str(turn)
        time.sleep(0.05)
    assert set(statuses) == {200, 503}
    assert statuses[-1] == 200
    assert program.get("/api/v1/auth/me").body["display_name"] == written
