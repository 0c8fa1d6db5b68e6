"""The way out to other hosts: guarded against private addresses, bounded in time and size, patient with failures."""

from apps.core.http.clients import AsyncClient, Client, Limits, async_client, check_url, client, retry_after
from apps.core.http.guard import AddressRefusedError, Guard, Resolver, allowed_hosts, is_public, system_resolver
from apps.core.http.transport import DeadlineError, TooLargeError

__all__ = [
    "AddressRefusedError",
    "AsyncClient",
    "Client",
    "DeadlineError",
    "Guard",
    "Limits",
    "Resolver",
    "TooLargeError",
    "allowed_hosts",
    "async_client",
    "check_url",
    "client",
    "is_public",
    "retry_after",
    "system_resolver",
]
