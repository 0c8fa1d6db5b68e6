"""Running one piece of work: the handler works, the outcome becomes a state."""

from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

from apps.core.cache import RedisOutage
from apps.core.errors import ProductError, TooManyError, UnavailableError
from apps.core.jobs.leases import Lease, LeaseLostError
from apps.core.logs import bind_request_id, current_request_id
from apps.core.models.work import LeasedWork

log = structlog.get_logger(__name__)

_W = TypeVar("_W", bound=LeasedWork)
_OUTAGE_WAIT_SECONDS = 5.0
_Outages = (OperationalError, InterfaceError, *RedisOutage)


def run(*, lease: Lease[_W] | None, handler: Callable[[Lease[_W]], object]) -> bool:
    """Let the handler work under the lease and write what became of it; tell whether it succeeded.

    Nothing to do without a lease. A handler that returns has succeeded, unless it ended the work itself.
    Unavailable and too many: tried again later. Other foreseen errors: failed. A service away: given back.
    Anything else counts as a crash and is raised again.
    """
    if lease is None:
        return False
    with bind_request_id(lease.work.request_id or current_request_id()), lease.hold():
        try:
            handler(lease)
            if not lease.is_over:
                lease.succeed()
        except LeaseLostError:
            log.warning("The work belongs to somebody else now", kind=lease.work.kind, job=str(lease.work.pk))
            return False
        except ProductError as problem:
            _settle(lease, problem)
            return False
        except _Outages:
            _try(lease, lambda: lease.give_back(after=_OUTAGE_WAIT_SECONDS))
            raise
        except Exception:
            _try(lease, lease.crash)
            raise
        except BaseException:
            _try(lease, lease.give_back)
            raise
    return lease.work.state == "succeeded"


def _settle(lease: Lease[_W], problem: ProductError) -> None:
    """Write a foreseen error down: one that passes is tried again, any other is the end."""
    if isinstance(problem, UnavailableError | TooManyError):
        _try(lease, lambda: lease.retry_later(code=problem.code, detail=problem.detail, after=problem.retry_after))
    else:
        _try(lease, lambda: lease.fail(code=problem.code, detail=problem.detail))


def _try(lease: Lease[_W], write: Callable[[], None]) -> None:
    """Write the outcome if the row is still ours and the database there; else the reaper finds the row."""
    if lease.is_over:
        return
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        write()
    except LeaseLostError:
        log.warning("The work belongs to somebody else now", kind=lease.work.kind, job=str(lease.work.pk))
    except (OperationalError, InterfaceError):
        log.warning("The outcome could not be written; the reaper will find the row", kind=lease.work.kind)
