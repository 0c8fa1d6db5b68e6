"""Threads that ask the database on behalf of the sockets; each keeps its own connection until it is closed."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import close_old_connections, connections

T = TypeVar("T")
_CLOSE_SECONDS = 5.0


class Reader:
    """A few threads for questions that would block the event loop."""

    def __init__(self, *, threads: int = 4) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="live-reader")

    async def ask(self, question: Callable[[], T]) -> T:
        """Answer the question in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _answer, question)

    def close(self) -> None:
        """Close every thread's connections and end the threads."""
        together = Barrier(self._threads)
        for _ in range(self._threads):
            self._pool.submit(_close_connections, together)
        self._pool.shutdown(wait=True)


def _answer(question: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return question()
    finally:
        close_old_connections()


def _close_connections(together: Barrier) -> None:
    connections.close_all()
    together.wait(timeout=_CLOSE_SECONDS)  # so that no thread takes two of these
