"""No spelling of a private address gets out: listeners on loopback count the connections, and the bar is none."""

import ipaddress
from collections.abc import Iterator

import httpx
import pytest
from pytest_django import Settings

from apps.core import http
from apps.core.http import AddressRefusedError, Limits
from apps.core.tests.listeners import Listener, listening, reply

FORBIDDEN = [
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://127.255.255.254:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0x7F.0x0.0x0.0x1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0177.0000.0000.0001:{port}/",
    "http://017700000001:{port}/",
    "http://127.0.0.01:{port}/",
    "http://127.000.000.001:{port}/",
    "http://00127.0.0.1:{port}/",
    "http://4294967297:{port}/",
    "http://127.0.0.1.0x0:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0x0:{port}/",
    "http://[::]:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::ffff:0:127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/",
    "http://[2001:db8::1]:{port}/",
    "http://[2a00:1450:4001::5efe:7f00:1]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[fc00::1]:{port}/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fec0::1]:{port}/",
    "http://[ff02::1]:{port}/",
    "http://[100::1]:{port}/",
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/",
    "http://172.31.255.255:{port}/",
    "http://192.168.1.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://[::ffff:169.254.169.254]/",
    "http://100.100.100.200/latest/meta-data/",
    "http://100.64.0.1:{port}/",
    "http://168.63.129.16/metadata/",
    "http://192.0.0.192/opc/v2/",
    "http://198.18.0.1:{port}/",
    "http://192.0.2.1:{port}/",
    "http://224.0.0.1:{port}/",
    "http://240.0.0.1:{port}/",
    "http://255.255.255.255:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://a.localhost:{port}/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://printer.local:{port}/",
    "http://nas.lan:{port}/",
    "http://rebind.example.test:{port}/",
    "http://rebind.example.test.:{port}/",
    "http://127.0.0.1.nip.example:{port}/",
    "http://example.test%2f@127.0.0.1:{port}/",
    "http://example.test@127.0.0.1:{port}/",
    "http://user:word@example.test:{port}/",
    "http://example.test:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.test/",
    "http://exa mple.test:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://ⓛocalhost:{port}/",
    "http://[::1:{port}/",
    "http://:{port}/",
    "http:///{port}",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_PING",
    "ftp://127.0.0.1:{port}/",
    "dict://127.0.0.1:{port}/",
    "ws://127.0.0.1:{port}/",
    "javascript:alert(1)",
    "",
]


def to_loopback(host: str, port: int) -> list[str]:
    """Answer as a hostile name server would: whatever the name, it is this machine."""
    return ["127.0.0.1"]


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


def test_the_corpus_is_large_enough() -> None:
    assert len(set(FORBIDDEN)) == len(FORBIDDEN) >= 60


@pytest.mark.parametrize("address", FORBIDDEN)
def test_no_forbidden_address_is_connected_to(listener: Listener, address: str) -> None:
    url = address.format(port=listener.port)
    with http.client(ports={listener.port}, resolver=to_loopback) as client, pytest.raises(AddressRefusedError):
        client.get(url)
    with pytest.raises(AddressRefusedError):
        http.check_url(url=url, ports={listener.port}, resolver=to_loopback)
    assert listener.connections == 0


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_no_forbidden_address_is_connected_to_from_asyncio(listener: Listener, address: str) -> None:
    async with http.async_client(ports={listener.port}, resolver=to_loopback) as client:
        with pytest.raises(AddressRefusedError):
            await client.get(address.format(port=listener.port))
    assert listener.connections == 0


# What a Location header can carry.
REDIRECTED = [address for address in FORBIDDEN if "://" in address and address.isascii() and " " not in address]


@pytest.mark.parametrize("address", REDIRECTED)
def test_no_redirect_leads_to_a_forbidden_address(listener: Listener, address: str) -> None:
    target = address.format(port=listener.port)
    with (
        listening(lambda *_: reply(status="302 Found", headers=[f"Location: {target}"])) as door,
        http.client(
            ports={door.port, listener.port},
            private_hosts=[f"door.example.test:{door.port}"],
            resolver=to_loopback,
            limits=Limits(retries=0),
        ) as client,
    ):
        with pytest.raises((AddressRefusedError, httpx.TransportError)):
            client.get(f"http://door.example.test:{door.port}/")
        assert door.connections == 1
    assert listener.connections == 0


@pytest.mark.parametrize("port", [22, 25, 5432, 6379, 8080, 8443])
def test_other_ports_are_refused_also_on_public_hosts(port: int) -> None:
    with http.client(resolver=lambda *_: ["93.184.216.34"]) as client:
        for host in ("example.com", "93.184.216.34"):
            with pytest.raises(AddressRefusedError, match="80 and 443"):
                client.get(f"http://{host}:{port}/")


def test_public_addresses_pass_the_check() -> None:
    asked: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]

    for url in ("https://example.com/", "http://EXAMPLE.com:80/", "https://bücher.example/", "http://8.8.8.8/"):
        http.check_url(url=url, resolver=resolver)
    assert asked[:3] == [("example.com", 443), ("example.com", 80), ("xn--bcher-kva.example", 443)]


def test_one_private_answer_among_public_ones_refuses_all() -> None:
    for answers in (
        ["93.184.216.34", "10.0.0.1"],
        ["10.0.0.1", "93.184.216.34"],
        ["::ffff:10.0.0.1"],
        ["fe80::1%eth0"],
    ):
        with pytest.raises(AddressRefusedError):
            http.check_url(url="https://example.com/", resolver=lambda *_, answers=answers: answers)


def test_a_name_that_leads_nowhere_is_refused_when_typed() -> None:
    with pytest.raises(AddressRefusedError, match="leads nowhere"):
        http.check_url(url="https://nothing.example/", resolver=lambda *_: [])


def test_a_name_is_resolved_once_so_that_a_changing_answer_wins_nothing(listener: Listener) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]])
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    options = {"ports": {listener.port}, "private_hosts": ["127.0.0.0/8"], "resolver": resolver}
    with http.client(**options) as client:  # type: ignore[arg-type]
        assert client.get(f"http://rebind.example:{listener.port}/").text == "ok"
        assert client.get(f"http://rebind.example:{listener.port}/").text == "ok"
    assert asked == ["rebind.example"]  # the second request went over the connection that was checked
    with http.client(**options) as client, pytest.raises(AddressRefusedError):  # type: ignore[arg-type]
        client.get(f"http://rebind.example:{listener.port}/")
    assert listener.connections == 1


class TestOperatorsList:
    @pytest.mark.parametrize(
        ("entry", "host"),
        [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:{port}", "127.0.0.1"),
            ("127.0.0.0/8", "127.0.0.1"),
            ("127.0.0.0/8", "node.example"),
            ("127.0.0.0/8", "node.lan"),
            ("node.lan", "node.lan"),
            ("NODE.lan:{port}", "node.LAN"),
            ("localhost", "localhost"),
        ],
    )
    def test_lets_through_what_it_names(self, listener: Listener, settings: Settings, entry: str, host: str) -> None:
        settings.PRIVATE_HOSTS_ALLOWED = [entry.format(port=listener.port)]
        with http.client(resolver=to_loopback) as client:
            assert client.get(f"http://{host}:{listener.port}/").text == "ok"
        assert listener.connections == 1
        assert f"Host: {host.lower()}:{listener.port}" in listener.requests[0]

    @pytest.mark.parametrize(
        ("entry", "host"),
        [
            ("127.0.0.2", "127.0.0.1"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("10.0.0.0/8", "127.0.0.1"),
            ("10.0.0.0/8", "node.lan"),
            ("node.lan:1", "node.lan"),
            ("node.lan", "other.lan"),
            ("node.lan", "sub.node.lan"),
            ("node.lan", "127.0.0.1"),
            ("::1", "127.0.0.1"),
        ],
    )
    def test_lets_nothing_else_through(self, listener: Listener, settings: Settings, entry: str, host: str) -> None:
        settings.PRIVATE_HOSTS_ALLOWED = [entry]
        with http.client(ports={listener.port}, resolver=to_loopback) as client, pytest.raises(AddressRefusedError):
            client.get(f"http://{host}:{listener.port}/")
        assert listener.connections == 0

    def test_reads_version_six(self) -> None:
        allowed = http.allowed_hosts(["[fd00::1]:8545", "fd12::/16", "[::1]"])
        assert allowed.covers(ipaddress.ip_address("fd00::1"), 8545)
        assert not allowed.covers(ipaddress.ip_address("fd00::1"), 80)
        assert allowed.covers(ipaddress.ip_address("fd12::5"), 1)
        assert allowed.covers(ipaddress.ip_address("::1"), 1)

    @pytest.mark.parametrize("entry", ["", "http://node.lan", "no de", "a/b", "[zz]"])
    def test_refuses_entries_that_mean_nothing(self, entry: str) -> None:
        with pytest.raises(ValueError, match="PRIVATE_HOSTS_ALLOWED"):
            http.allowed_hosts([entry])
