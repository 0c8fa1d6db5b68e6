"""Which addresses the product may talk to: public ones, and private ones that the operator has named."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from apps.core.errors import InvalidError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Sequence[str]]

MAX_REDIRECTS: Final = 5

_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_NAME: Final = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMERIC = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
_PRIVATE_NAMES: Final = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa")
_REFUSED_V4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's own service, on a public address
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")  # mapped, NAT64, unique local, link-local, multicast are outside
_REFUSED_V6: Final = tuple(
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


class AddressRefusedError(InvalidError):
    """The address is not one that the product may talk to."""

    code = "address_refused"
    title = "This address cannot be used"
    default_detail = (
        "Use a public http or https address. The operator can allow a private one in PRIVATE_HOSTS_ALLOWED."
    )


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """What the operator has named: hosts and networks, each with one port or with all (None)."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[IPNetwork, int | None], ...] = ()

    def names(self, host: str, port: int) -> bool:
        """Tell whether this very host stands in the list."""
        return (host, None) in self.hosts or (host, port) in self.hosts

    def covers(self, address: IPAddress, port: int) -> bool:
        """Tell whether an address lies in one of the named networks."""
        return any(
            address.version == network.version and address in network and allowed in {None, port}
            for network, allowed in self.networks
        )


def allowed_hosts(entries: Iterable[str]) -> AllowedHosts:
    """Read the operator's list: `host`, `host:port`, `[v6]:port`, an address or a network such as `10.1.0.0/16`."""
    hosts: set[tuple[str, int | None]] = set()
    networks: list[tuple[IPNetwork, int | None]] = []
    for entry in entries:
        host, port = _split_entry(entry.strip().lower())
        try:
            networks.append((ipaddress.ip_network(host), port))
        except ValueError:
            if not _is_name(host):
                raise ValueError(f"PRIVATE_HOSTS_ALLOWED: {entry!r} is no host, host:port or network.") from None
            hosts.add((host, port))
    return AllowedHosts(frozenset(hosts), tuple(networks))


@dataclass(frozen=True, slots=True)
class Guard:
    """Checks where a request goes: once by its spelling, once by the addresses its name resolves to."""

    allowed: AllowedHosts = AllowedHosts()
    ports: frozenset[int] = frozenset()

    def check_target(self, *, scheme: str, host: str, port: int | None, has_login: bool) -> None:
        """Refuse a scheme, port or spelling that is not allowed, before any name is looked up."""
        if scheme not in _PORTS:
            raise AddressRefusedError("Only http and https addresses can be used.")
        if has_login:
            raise AddressRefusedError("An address with a user name or password in it cannot be used.")
        name, actual_port = _canonical(host), port or _PORTS[scheme]
        literal = _literal(name)
        if literal is not None:
            self.check_addresses(host=name, port=actual_port, addresses=[str(literal)])
        elif not self.allowed.names(name, actual_port):
            self._check_name(name, actual_port)

    def check_addresses(self, *, host: str, port: int, addresses: Sequence[str]) -> tuple[str, ...]:
        """Return the addresses to connect to; one that is refused refuses them all."""
        named = self.allowed.names(_canonical(host), port)
        for text in addresses:
            address = ipaddress.ip_address(text.partition("%")[0])
            if not named and not self.allowed.covers(address, port):
                self._check_port(port)
                if not is_public(address):
                    raise AddressRefusedError
        if not addresses:
            raise AddressRefusedError("The name of this address leads nowhere. Check its spelling.")
        return tuple(addresses)

    def _check_name(self, name: str, port: int) -> None:
        private = any(name == suffix or name.endswith(f".{suffix}") for suffix in _PRIVATE_NAMES)
        if not self.allowed.networks:  # else the addresses decide
            self._check_port(port)
            if private:
                raise AddressRefusedError
        if not _is_name(name):
            raise AddressRefusedError("The host of this address is not spelled in a usual way.")

    def _check_port(self, port: int) -> None:
        if port not in {80, 443} | self.ports:
            raise AddressRefusedError("Only the ports 80 and 443 can be used.")


def is_public(address: IPAddress) -> bool:
    """Tell whether an address belongs to the public internet, and hides no other address inside."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network in _REFUSED_V4)
    if int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
        return False
    return address in _GLOBAL_V6 and address.is_global and not any(address in network for network in _REFUSED_V6)


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a name, in its order of preference."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _canonical(host: str) -> str:
    name = host.lower().removeprefix("[").removesuffix("]")
    return name.removesuffix(".")


def _literal(name: str) -> IPAddress | None:
    """Return the address that a host spells; an odd spelling of one is refused, whoever would understand it."""
    if ":" in name:
        try:
            return ipaddress.IPv6Address(name)
        except ValueError:
            raise AddressRefusedError("The host of this address is not spelled in a usual way.") from None
    if not _NUMERIC.fullmatch(name.rpartition(".")[2]):
        return None
    try:
        return ipaddress.IPv4Address(name)
    except ValueError:
        raise AddressRefusedError("The host of this address is not spelled in a usual way.") from None


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _LONGEST_NAME and all(_LABEL.fullmatch(label) for label in name.split("."))


def _split_entry(entry: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([0-9a-f:.]+)\](?::([0-9]{1,5}))?", entry)
    plain = re.fullmatch(r"([^:]+):([0-9]{1,5})", entry)
    match = bracketed or plain
    if match is None:
        return entry, None
    return match[1], int(match[2]) if match[2] else None
