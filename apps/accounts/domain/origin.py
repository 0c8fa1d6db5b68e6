"""Where a request came from, as far as the audit log and the list of sessions want to know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestMeta:
    """The network address, the device as it calls itself, and the id of the request."""

    network_address: str = ""
    device: str = ""
    request_id: str = ""
    device_token: str = ""


NO_REQUEST = RequestMeta()
