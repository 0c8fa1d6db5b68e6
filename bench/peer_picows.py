"""The limit: picows sends the same bytes at the same pace and does nothing else; `python -m bench.peer_picows PORT`."""

import asyncio
import sys
import time

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from bench.sockets import PERIOD, PHASE

_TICKER = (
    '{"instrument":"binance:BENCH10/USDT","price":"64000.55","change_24h":"0.0123","volume_24h":"12345.6",'
    '"ts":%d,"source":"binance","simulated":true,"age_ms":50}'
)
_phases: list[list[WSTransport]] = [[] for _ in range(round(PERIOD / PHASE))]


class Mouth(WSListener):
    """One socket of the server."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, b'{"op":"welcome"}')

    def on_ws_frame(self, transport: WSTransport, _frame: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, b'{"op":"snapshot"}')
        min(_phases, key=len).append(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        for phase in _phases:
            if transport in phase:
                phase.remove(transport)


def _listener(_request: WSUpgradeRequest) -> Mouth:
    return Mouth()


async def _serve(port: int) -> None:
    server = await ws_create_server(_listener, "127.0.0.1", port)
    number = int(time.monotonic() / PHASE) + 1
    async with server:
        while True:
            await asyncio.sleep(max(0.0, number * PHASE - time.monotonic()))
            tickers = ",".join([_TICKER % (time.time() * 1000)] * 10)
            frame = f'{{"op":"update","channel":"market_data","seq":12,"data":{{"tickers":[{tickers}]}}}}'.encode()
            for transport in tuple(_phases[number % len(_phases)]):
                transport.send(WSMsgType.TEXT, frame)
            number += 1


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
