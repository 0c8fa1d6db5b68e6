"""Which pages may open the socket: ours only; a program sends no Origin and is let through to the ticket."""

from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def allowed_origins(public_url: str) -> frozenset[str]:
    """Return the origins of our pages; on loopback, all three names of this machine."""
    parts = urlsplit(public_url)
    if parts.hostname in {"localhost", "127.0.0.1", "::1"}:
        port = f":{parts.port}" if parts.port else ""
        return frozenset(f"{parts.scheme}://{host}{port}" for host in _LOOPBACK)
    return frozenset({f"{parts.scheme}://{parts.netloc}".lower()})


def is_ours(origin: str | None, *, allowed: frozenset[str]) -> bool:
    """Tell whether a page of this origin may connect; no origin means no browser."""
    return origin is None or origin.lower() in allowed
