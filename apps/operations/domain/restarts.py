"""When a process that ended is started again: at once after a long life, ever later after short ones."""

from apps.operations.domain.processes import HEALTHY_AFTER, RESTART_FIRST, RESTART_LONGEST


def failures_after(*, failures: int, lived: float) -> int:
    """Return how many failures in a row stand now that a process has ended after `lived` seconds."""
    return 1 if lived >= HEALTHY_AFTER else failures + 1


def restart_delay(*, failures: int) -> float:
    """Return the seconds to wait before the next start, doubling with each failure in a row."""
    doublings = min(max(failures - 1, 0), 10)
    return min(RESTART_LONGEST, RESTART_FIRST * 2.0**doublings)
