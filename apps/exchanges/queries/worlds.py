"""Which of the two worlds, real or simulated, an exchange belongs to here."""

from urllib.parse import urlsplit

from django.conf import settings

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def is_simulated(*, exchange: str) -> bool:
    """Tell whether an exchange is the simulator's: the instance shows its world, and reaches the exchange there."""
    return settings.FEED == "simulator" and bool(simulator_address(exchange=exchange))


def simulator_address(*, exchange: str) -> str:
    """Return where the simulator's exchange of this name is reached; empty outside the demo world."""
    address = str(settings.EXCHANGE_BASE_URLS.get(exchange, "")).rstrip("/")
    here = settings.FEED == "simulator" and urlsplit(address).hostname in _THIS_MACHINE
    return address if here else ""
