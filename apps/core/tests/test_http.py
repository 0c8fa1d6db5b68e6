"""The client keeps its promises against real servers: on time, within size, patient, and never to another host."""

import gzip
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.core import http
from apps.core.http import AddressRefusedError, DeadlineError, Limits, TooLargeError
from apps.core.tests.listeners import Listener, Script, listening, reply

LOOPBACK = ["127.0.0.0/8", "::1"]
QUICK = Limits(deadline=10, connect=5, read=5, retries=2)
TRICKLE = 100  # bytes, one in a tenth of a second
TRICKLE_SECONDS = 10


def to_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def make_client(limits: Limits = QUICK, **options: Any) -> http.Client:
    given: dict[str, Any] = {"limits": limits, "private_hosts": LOOPBACK, "resolver": to_loopback}
    return http.client(**(given | options))


def make_async_client(limits: Limits = QUICK, **options: Any) -> http.AsyncClient:
    given: dict[str, Any] = {"limits": limits, "private_hosts": LOOPBACK, "resolver": to_loopback}
    return http.async_client(**(given | options))


def in_turn(*answers: Sequence[bytes]) -> Script:
    """Answer the first request with the first, and so on; the last one repeats."""
    return lambda listener, _head: answers[min(len(listener.requests), len(answers)) - 1]


def url(listener: Listener, path: str = "/", *, host: str = "api.example.test", scheme: str = "http") -> str:
    return f"{scheme}://{host}:{listener.port}{path}"


class HangingResolver:
    """A name server that answers only once the test is over."""

    def __init__(self) -> None:
        self.end, self.still_hangs = threading.Event(), True

    def __call__(self, host: str, port: int) -> list[str]:
        self.end.wait(30)
        self.still_hangs = False
        return ["127.0.0.1"]


@contextmanager
def hanging_resolver() -> Iterator[HangingResolver]:
    resolver = HangingResolver()
    try:
        yield resolver
    finally:
        resolver.end.set()


class TestTime:
    def test_a_trickle_of_head_bytes_ends_at_the_deadline(self) -> None:
        with listening(lambda *_: [b"x"] * TRICKLE, pause=0.1) as listener, make_client(Limits(deadline=0.6)) as client:
            started = time.monotonic()
            with pytest.raises(httpx.TransportError):
                client.post(url(listener))
        assert time.monotonic() - started < TRICKLE_SECONDS / 2

    def test_a_trickle_of_body_bytes_ends_at_the_deadline(self) -> None:
        slow = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * TRICKLE]
        with listening(lambda *_: slow, pause=0.1) as listener, make_client(Limits(deadline=0.6)) as client:
            started = time.monotonic()
            with pytest.raises(DeadlineError):
                client.get(url(listener))
            assert 0.5 < time.monotonic() - started < TRICKLE_SECONDS / 2

    async def test_the_same_holds_for_asyncio(self) -> None:
        slow = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * TRICKLE]
        with listening(lambda *_: slow, pause=0.1) as listener:
            async with make_async_client(Limits(deadline=0.6)) as client:
                started = time.monotonic()
                with pytest.raises(DeadlineError):
                    await client.get(url(listener))
                assert 0.5 < time.monotonic() - started < TRICKLE_SECONDS / 2

    def test_a_streamed_body_keeps_the_deadline(self) -> None:
        slow = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * TRICKLE]
        with listening(lambda *_: slow, pause=0.1) as listener, make_client(Limits(deadline=0.6)) as client:
            response = client.send(client.build_request("GET", url(listener)), stream=True)
            with pytest.raises(DeadlineError):
                response.read()
            response.close()

    def test_a_silent_server_ends_at_the_read_limit(self) -> None:
        limits = Limits(deadline=9, read=0.2, retries=0)
        with listening(lambda *_: []) as listener, make_client(limits) as client, pytest.raises(httpx.ReadTimeout):
            client.get(url(listener))

    def test_a_name_server_that_hangs_ends_at_the_connect_limit(self) -> None:
        with hanging_resolver() as hanging, make_client(Limits(connect=0.2, retries=0), resolver=hanging) as client:
            with pytest.raises(httpx.ConnectTimeout):
                client.get("http://slow.example.test/")
            assert hanging.still_hangs

    async def test_a_hanging_name_server_does_not_hold_asyncio(self) -> None:
        with hanging_resolver() as hanging:
            async with make_async_client(Limits(connect=0.2, retries=0), resolver=hanging) as client:
                with pytest.raises(httpx.ConnectTimeout):
                    await client.get("http://slow.example.test/")
                assert hanging.still_hangs


class TestSize:
    @pytest.mark.parametrize("size", [1000, 1001])
    def test_a_body_ends_at_the_limit(self, size: int) -> None:
        with listening(lambda *_: reply(b"x" * size)) as listener, make_client(Limits(max_bytes=1000)) as client:
            if size <= 1000:
                assert len(client.get(url(listener)).content) == size
            else:
                with pytest.raises(TooLargeError):
                    client.get(url(listener))
                assert listener.connections == 1  # too large is not repeated

    @pytest.mark.parametrize("packing", ["gzip", "deflate"])
    async def test_a_packed_body_counts_unpacked(self, packing: str) -> None:
        pack = gzip.compress if packing == "gzip" else zlib.compress
        bomb = reply(pack(b"\0" * 50_000_000), headers=[f"Content-Encoding: {packing}"])
        with listening(lambda *_: bomb) as listener:
            with make_client(Limits(max_bytes=100_000)) as client, pytest.raises(TooLargeError):
                client.get(url(listener))
            async with make_async_client(Limits(max_bytes=100_000)) as other:
                with pytest.raises(TooLargeError):
                    await other.get(url(listener))

    def test_a_packed_body_within_the_limit_is_read(self) -> None:
        packed = reply(gzip.compress(b"fine" * 10_000), headers=["Content-Encoding: gzip"])
        with listening(lambda *_: packed) as listener, make_client() as client:
            assert client.get(url(listener)).content == b"fine" * 10_000

    @pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "x"])
    def test_other_packings_are_refused(self, packing: str) -> None:
        answer = reply(b"x", headers=[f"Content-Encoding: {packing}"])
        with listening(lambda *_: answer) as listener, make_client() as client, pytest.raises(httpx.DecodingError):
            client.get(url(listener))


class TestPatience:
    @pytest.mark.parametrize("status", ["429 Slow", "502 Bad", "503 Busy", "504 Late"])
    def test_a_passing_failure_is_repeated(self, status: str) -> None:
        with listening(in_turn(reply(status=status), reply(b"there"))) as listener, make_client() as client:
            assert client.get(url(listener)).text == "there"
            assert len(listener.requests) == 2

    async def test_a_passing_failure_is_repeated_in_asyncio(self) -> None:
        with listening(in_turn(reply(status="503 Busy"), [], reply(b"there"))) as listener:
            async with make_async_client(Limits(deadline=20, read=1.0)) as client:
                assert (await client.get(url(listener))).text == "there"
            assert len(listener.requests) == 3

    @pytest.mark.parametrize("status", ["500 Broken", "404 Gone", "401 Who"])
    def test_other_answers_are_given_at_once(self, status: str) -> None:
        with listening(lambda *_: reply(status=status)) as listener, make_client() as client:
            assert client.get(url(listener)).status_code == int(status[:3])
            assert len(listener.requests) == 1

    def test_nothing_is_sent_twice_that_may_not_be(self) -> None:
        with listening(lambda *_: reply(status="503 Busy")) as listener, make_client() as client:
            assert client.post(url(listener), json={"a": 1}).status_code == 503
            assert len(listener.requests) == 1

    def test_after_the_last_attempt_the_answer_is_given(self) -> None:
        with listening(lambda *_: reply(status="503 Busy")) as listener, make_client() as client:
            assert client.get(url(listener)).status_code == 503
            assert len(listener.requests) == 3

    def test_nothing_is_sent_before_retry_after(self) -> None:
        busy = reply(status="429 Slow", headers=["Retry-After: 1"])
        with listening(in_turn(busy, reply(b"there"))) as listener, make_client() as client:
            assert client.get(url(listener)).text == "there"
            assert listener.times[1] - listener.times[0] >= 1

    @pytest.mark.parametrize("wanted", ["60", "soon", "Sat, 21 Nov 2026 10:00:00 GMT"])
    def test_a_retry_after_beyond_the_deadline_is_the_answer(self, wanted: str) -> None:
        busy = reply(status="429 Slow", headers=[f"Retry-After: {wanted}"])
        with listening(lambda *_: busy) as listener, make_client() as client:
            started = time.monotonic()
            assert client.get(url(listener)).status_code == 429
            assert time.monotonic() - started < QUICK.deadline
            assert len(listener.requests) == 1

    def test_a_refused_connection_is_tried_again_then_told(self) -> None:
        with listening() as listener:
            pass
        asked: list[str] = []

        def resolver(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"]

        with make_client(resolver=resolver) as client, pytest.raises(httpx.ConnectError):
            client.get(url(listener))
        assert len(asked) == 3

    def test_a_name_without_address_is_an_outage_and_not_a_mistake(self) -> None:
        client = make_client(Limits(retries=0), resolver=lambda *_: [])
        with client, pytest.raises(httpx.ConnectError, match="leads nowhere"):
            client.get("https://api.example.test/")

    async def test_the_next_address_is_tried(self) -> None:
        with listening() as listener:
            with make_client(resolver=lambda *_: ["::1", "127.0.0.1"]) as client:
                assert client.get(url(listener)).text == "ok"
            async with make_async_client(resolver=lambda *_: ["::1", "127.0.0.1"]) as other:
                assert (await other.get(url(listener))).text == "ok"

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({}, 0),
            ({"retry-after": "7"}, 7),
            ({"retry-after": "Sat, 21 Nov 2026 10:00:09 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 9),
            ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 0),
            ({"retry-after": "Sat, 21 Nov 2026 10:00:00 GMT"}, float("inf")),
            ({"retry-after": "-5"}, float("inf")),
            ({"retry-after": "rubbish", "date": "rubbish"}, float("inf")),
        ],
    )
    def test_reads_retry_after(self, headers: dict[str, str], seconds: float) -> None:
        assert http.retry_after(httpx.Response(429, headers=headers)) == seconds


class TestRedirects:
    @pytest.mark.parametrize("where", ["client", "request"])
    def test_a_login_never_goes_to_another_host(self, where: str) -> None:
        login = ("u", "p")
        of_client: dict[str, Any] = {"auth": login} if where == "client" else {}
        of_request: dict[str, Any] = {"auth": login} if where == "request" else {}
        with listening() as other:
            away = reply(status="302 Found", headers=[f"Location: {url(other, host='evil.example.test')}"])
            with listening(lambda *_: away) as listener, make_client(**of_client) as client:
                client.get(url(listener), **of_request)
            assert "authorization" in listener.requests[0].lower()
            assert "authorization" not in other.requests[0].lower()

    async def test_nor_in_asyncio(self) -> None:
        with listening() as other:
            away = reply(status="302 Found", headers=[f"Location: {url(other, host='evil.example.test')}"])
            with listening(lambda *_: away) as listener:
                async with make_async_client(auth=("u", "p")) as client:
                    await client.get(url(listener))
            assert "authorization" not in other.requests[0].lower()

    def test_follows_within_a_host_and_keeps_what_was_sent(self) -> None:
        moved = reply(status="302 Found", headers=["Location: /new"])
        with listening(in_turn(moved, reply(b"there"))) as listener, make_client() as client:
            assert client.get(url(listener), headers={"X-Api-Key": "k"}).text == "there"
            assert "GET /new " in listener.requests[1]
            assert "X-Api-Key: k" in listener.requests[1]

    async def test_shows_no_key_to_another_host(self) -> None:
        with listening() as other:
            moved = reply(status="302 Found", headers=[f"Location: {url(other, host='other.example.test')}"])
            sent = {"X-Api-Key": "canary", "Authorization": "canary", "Cookie": "a=canary", "Accept": "text/x"}
            with listening(lambda *_: moved) as listener:
                with make_client() as client:
                    assert client.get(url(listener), headers=sent).text == "ok"
                async with make_async_client() as other_client:
                    assert (await other_client.get(url(listener), headers=sent)).text == "ok"
            assert len(other.requests) == 2
            for head in other.requests:
                assert "canary" not in head
                assert "Accept: text/x" in head
                assert f"Host: other.example.test:{other.port}" in head

    def test_sends_no_body_to_another_host(self) -> None:
        with listening() as other:
            moved = reply(status="307 Moved", headers=[f"Location: {url(other, host='other.example.test')}"])
            with listening(lambda *_: moved) as listener, make_client() as client:
                with pytest.raises(AddressRefusedError, match="redirects what was sent"):
                    client.post(url(listener), content=b"canary")
                assert listener.connections == 1
            assert other.connections == 0

    def test_ends_after_five(self) -> None:
        loop = reply(status="302 Found", headers=["Location: /again"])
        with listening(lambda *_: loop) as listener, make_client() as client:
            with pytest.raises(httpx.TooManyRedirects):
                client.get(url(listener))
            assert len(listener.requests) == 6

    def test_follows_none_where_none_are_wanted(self) -> None:
        moved = reply(status="302 Found", headers=["Location: /new"])
        with listening(lambda *_: moved) as listener, make_client(Limits(redirects=0)) as client:
            assert client.get(url(listener)).status_code == 302
            assert len(listener.requests) == 1


def make_certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server with a certificate for this name and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day = datetime.now(UTC)  # noqa: TID251 - a certificate must be valid now
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, day - timedelta(1), day + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "pair.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    client = ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode())
    return server, client


class TestIdentity:
    async def test_the_name_stays_in_tls_and_in_the_host_header(self, tmp_path: Path) -> None:
        server, trusting = make_certificate(tmp_path, "api.example.test")
        asked: list[str | None] = []
        server.sni_callback = lambda _socket, name, _context: asked.append(name)
        with listening(context=server) as listener:
            target = url(listener, scheme="https")
            with make_client(context=trusting) as client:
                assert client.get(target).text == "ok"
            async with make_async_client(context=trusting) as other:
                assert (await other.get(target)).text == "ok"
            assert f"Host: api.example.test:{listener.port}" in listener.requests[0]
        assert asked == ["api.example.test"] * 2

    def test_a_certificate_for_another_name_is_refused(self, tmp_path: Path) -> None:
        server, trusting = make_certificate(tmp_path, "other.example.test")
        with listening(context=server) as listener, make_client(Limits(retries=0), context=trusting) as client:
            with pytest.raises(httpx.ConnectError, match=r"(?i)hostname mismatch"):
                client.get(url(listener, scheme="https"))
            assert listener.requests == []

    def test_an_unknown_certificate_is_refused(self, tmp_path: Path) -> None:
        server, _ = make_certificate(tmp_path, "api.example.test")
        with listening(context=server) as listener, make_client(Limits(retries=0)) as client:
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                client.get(url(listener, scheme="https"))
            assert listener.requests == []

    def test_no_redirect_leaves_https(self, tmp_path: Path) -> None:
        server, trusting = make_certificate(tmp_path, "api.example.test")
        with listening() as plain_door:
            moved = reply(status="302 Found", headers=[f"Location: {url(plain_door)}"])
            with listening(lambda *_: moved, context=server) as listener, make_client(context=trusting) as client:
                with pytest.raises(AddressRefusedError, match="from https"):
                    client.get(url(listener, scheme="https"))
                assert listener.connections == 1
            assert plain_door.connections == 0

    def test_no_proxy_is_taken_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with listening() as proxy, listening(lambda *_: reply(b"direct")) as listener:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            with make_client() as client:
                assert client.get(url(listener)).text == "direct"
            assert proxy.connections == 0

    def test_says_who_it_is(self) -> None:
        with listening() as listener, make_client(headers={"X-Extra": "1"}) as client:
            client.get(url(listener))
            assert "user-agent: Coinsphere/" in listener.requests[0]
            assert "X-Extra: 1" in listener.requests[0]
