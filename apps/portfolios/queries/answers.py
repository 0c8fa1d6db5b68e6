"""The answer about holdings as it was written last: asked for some hundred times a second, so that little is asked."""

from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import Final, NamedTuple
from uuid import UUID

from apps.core.database.prepared import Question
from apps.portfolios.models import PortfolioValue

#: Answers that this process remembers, and the longest of them in bytes.
MOST_ANSWERS: Final = 64
LONGEST_ANSWER: Final = 256 * 1024

_STATE: Final = Question("""
SELECT value.version, value.booked_version, portfolio.version, value.valued_at
FROM portfolios_portfoliovalue value
JOIN portfolios_portfolio portfolio ON portfolio.id = value.portfolio_id
WHERE value.portfolio_id = %s AND portfolio.owner_id = %s
""")


class AnswerState(NamedTuple):
    """Which answer there is: its version, of which version of the ledger it is, which one there is, and its moment."""

    version: int
    booked: int
    wanted: int
    valued_at: datetime


def answer_state(*, portfolio_id: UUID, owner_id: UUID) -> AnswerState | None:
    """Return which answer there is about a person's portfolio; None before the first, and to anybody else."""
    row = _STATE.ask(portfolio_id, owner_id)
    return None if row is None else AnswerState(*row)


def answer_body(*, portfolio_id: UUID, version: int) -> bytes | None:
    """Return the text of an answer; None where another has taken its place meanwhile."""
    body = _remembered.get(portfolio_id, version)
    if body is None:
        found = PortfolioValue.objects.filter(pk=portfolio_id, version=version).values_list("body", flat=True).first()
        if found is None:
            return None
        body = bytes(found)
        _remembered.put(portfolio_id, version, body)
    return body


class _Remembered:
    """The newest answers, one for each portfolio, those asked for longest ago forgotten first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[UUID, tuple[int, bytes]] = OrderedDict()

    def get(self, portfolio_id: UUID, version: int) -> bytes | None:
        with self._lock:
            held = self._held.get(portfolio_id)
            if held is None or held[0] != version:
                return None
            self._held.move_to_end(portfolio_id)
            return held[1]

    def put(self, portfolio_id: UUID, version: int, body: bytes) -> None:
        if len(body) > LONGEST_ANSWER:
            return
        with self._lock:
            self._held[portfolio_id] = (version, body)
            self._held.move_to_end(portfolio_id)
            if len(self._held) > MOST_ANSWERS:
                self._held.popitem(last=False)


_remembered: Final = _Remembered()
