"""Which event starts what; read by `core.events` through the dotted path in the settings."""

from apps.accounts.events import AccessEnded, UserDeleted
from apps.core.events import JobChanged, Line
from apps.portfolios.events import EntriesPosted, PortfolioRevalued

LINES: tuple[Line, ...] = (
    # people: their sockets close
    Line(AccessEnded, "stream"),
    Line(UserDeleted, "stream"),
    # the ledger: booked, valued, shown; in the queue in which nothing lasts long
    Line(EntriesPosted, "job", "portfolios.book", queue="notify", sweep="portfolios.book_behind"),
    Line(PortfolioRevalued, "stream"),
    # work in rows
    Line(JobChanged, "stream"),
)
