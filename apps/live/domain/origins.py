"""Which pages may open the socket: ours only; a program sends no Origin and is let through to the ticket."""

from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def allowed_origins(public_url: str) -> frozenset[str]:
    """Return the origins of our pages; on loopback, all three names of this machine."""
    parts = urlsplit(public_url)
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    ours = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    hosts = _LOOPBACK if ours else (f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname,)
    return frozenset(f"{parts.scheme}://{host}{port}" for host in hosts)


def is_ours(origin: str | None, *, allowed: frozenset[str]) -> bool:
    """Tell whether a page of this origin may connect; no origin means no browser."""
    return origin is None or origin.lower() in allowed
