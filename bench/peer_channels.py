"""The naive peer: a Channels consumer in one group per instrument, and a producer that sends each tick to its group.

`uvicorn bench.peer_channels:application` serves, `python -m bench.peer_channels` produces.
"""

import asyncio
import json
import os
import random
import time
from typing import Any

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer

from bench.live_source import INSTRUMENTS, TICKS_PER_SECOND

_AT_ONCE = 10
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()


def _group(instrument: str) -> str:
    return "ticks." + instrument.replace(":", ".").replace("/", ".")


class TickConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels carries no types
    """One socket that joins a group for each instrument it asks for."""

    async def connect(self) -> None:
        """Let everybody in."""
        await self.accept()
        await self.send(text_data='{"op":"welcome"}')

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Join the groups."""
        del bytes_data
        for instrument in json.loads(text_data or "{}")["keys"]:
            await self.channel_layer.group_add(_group(instrument), self.channel_name)
        await self.send(text_data='{"op":"snapshot"}')

    async def tick(self, event: dict[str, Any]) -> None:
        """Pass a tick on."""
        await self.send(text_data=json.dumps({"op": "update", "data": {"tickers": [event["ticker"]]}}))


application = TickConsumer.as_asgi()


async def _produce() -> None:
    layer, due = get_channel_layer(), time.monotonic()
    while True:
        await asyncio.gather(*(_send_tick(layer) for _ in range(_AT_ONCE)))
        due = max(due + _AT_ONCE / TICKS_PER_SECOND, time.monotonic() - 1)
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _send_tick(layer: Any) -> None:  # noqa: ANN401 - Channels carries no types
    instrument = random.choice(INSTRUMENTS)
    ticker = {"instrument": instrument, "price": "64000.5", "change_24h": "0.0123", "source": "binance"}
    await layer.group_send(_group(instrument), {"type": "tick", "ticker": {**ticker, "ts": int(time.time() * 1000)}})


if __name__ == "__main__":
    print("ready", flush=True)
    asyncio.run(_produce())
