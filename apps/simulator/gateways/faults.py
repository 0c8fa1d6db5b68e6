"""The middleware that every venue runs behind: it counts requests and spoils answers as the switches say."""

import asyncio
import socket
import struct
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from apps.simulator.domain.faults import ANSWER_FAULTS, Switch
from apps.simulator.gateways.desk import PATH
from apps.simulator.gateways.venue import Venue

_CONTROL = "/_sim/"
_PAGE = (
    "<!doctype html><html><head><title>Just a moment</title></head><body><h1>Checking your browser</h1></body></html>"
)
_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass
class Counts:
    """How often each path was asked for, with which key and with which outcome, and how often a push failed."""

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    failed_beats: int = 0

    def shown(self) -> dict[str, object]:
        """Return the counts as plain values."""
        paths: Counter[str] = Counter()
        keys: Counter[str] = Counter()
        for (path, key, _), count in self.requests.items():
            paths[path] += count
            keys[key] += count
        return {
            "total": sum(paths.values()),
            "failed_beats": self.failed_beats,
            "paths": dict(paths),
            "keys": {key: count for key, count in keys.items() if key},
            "requests": [
                {"path": path, "key": key or None, "status": status, "count": count}
                for (path, key, status), count in self.requests.items()
            ],
        }


def middleware(venue: Venue, counts: Counts) -> Middleware:
    """Return the middleware of one venue."""

    @web.middleware
    async def spoil(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(_CONTROL):
            return await handler(request)
        mark = (request.path, venue.key_of(request))
        PATH.set(request.path)
        status = 0
        try:
            switch = venue.desk.faults.pick(ANSWER_FAULTS, request.path, venue.desk.time())
            answer = await (_spoiled(venue, switch, request, handler) if switch else handler(request))
            status = answer.status
        except web.HTTPException as refused:
            status = refused.status
            raise
        finally:
            counts.requests[(*mark, status)] += 1
            venue.desk.faults.passed(request.path, venue.desk.time())
        return answer

    return spoil


async def _spoiled(venue: Venue, switch: Switch, request: web.Request, handler: Handler) -> web.StreamResponse:
    match switch.fault:
        case "html200":
            return web.Response(text=_PAGE, content_type="text/html")
        case "empty":
            return web.Response(body=b"", content_type="application/json")
        case "cut_json":
            return _cut(await handler(request))
        case "slow":
            await asyncio.sleep(switch.amount_ms / 1000)
            return await handler(request)
        case "hang":
            await asyncio.Event().wait()
        case "reset":
            return _reset(request)
    return venue.failure(switch.fault)


def _cut(answer: web.StreamResponse) -> web.StreamResponse:
    """Return the first half of an answer, as a proxy that died in the middle would."""
    if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
        body = answer.body
        return web.Response(body=body[: max(len(body) // 2, 1)], status=answer.status, content_type="application/json")
    return answer


def _reset(request: web.Request) -> web.Response:
    """Drop the connection without a goodbye."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
    return web.Response()
