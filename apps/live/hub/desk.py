"""Checks tickets at the door, many at once: while one round is with Redis and the database, the next gathers.

One person coming in pays one round; five hundred that come back together pay a few.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from apps.live import actions, queries
from apps.live.domain.bonds import Bond, Viewer
from apps.live.hub.reader import Reader

MOST_AT_ONCE: Final = 200
Admitted: TypeAlias = tuple[Bond, Viewer] | None


class Desk:
    """Turns tickets into the people behind them."""

    def __init__(self, *, reader: Reader, now: Callable[[], datetime]) -> None:
        self._reader = reader
        self._now = now
        self._waiting: list[tuple[str, asyncio.Future[Admitted]]] = []
        self._round: asyncio.Task[None] | None = None

    async def admit(self, secret: str) -> Admitted:
        """Spend a ticket; nothing if it is not good or its sign-in has ended."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Admitted] = loop.create_future()
        self._waiting.append((secret, answer))
        if self._round is None:
            self._round = loop.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                gathered, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._answer(gathered)
        finally:
            self._round = None

    async def _answer(self, gathered: list[tuple[str, asyncio.Future[Admitted]]]) -> None:
        secrets = [secret for secret, _answer in gathered]
        try:
            admitted = await self._reader.ask(lambda: self._look(secrets))
        except Exception as problem:  # noqa: BLE001 - each of those who wait raises it, and says what it means
            for _secret, answer in gathered:
                if not answer.done():
                    answer.set_exception(problem)
            return
        for secret, answer in gathered:
            if not answer.done():
                answer.set_result(admitted.pop(secret, None))

    def _look(self, secrets: list[str]) -> dict[str, Admitted]:
        bonds = actions.redeem_tickets(secrets=secrets)
        viewers = queries.viewers_of(bonds=set(bonds.values()), now=self._now())
        return {secret: (bond, viewers[bond]) for secret, bond in bonds.items() if bond in viewers}
