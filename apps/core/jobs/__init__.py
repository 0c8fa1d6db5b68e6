"""Long work that stands in rows: claimed under a lease, written under a fence, swept when a worker is gone."""

from apps.core.jobs.leases import Lease, LeaseLostError, claim, fraction, lease_seconds, this_worker
from apps.core.jobs.overview import JobView, job_counts, open_jobs, recent_jobs
from apps.core.jobs.running import run
from apps.core.jobs.sweep import Reaped, WorkIsOverError, cancel, enqueue, job_models, reap, requeue, wake

__all__ = [
    "JobView",
    "Lease",
    "LeaseLostError",
    "Reaped",
    "WorkIsOverError",
    "cancel",
    "claim",
    "enqueue",
    "fraction",
    "job_counts",
    "job_models",
    "lease_seconds",
    "open_jobs",
    "reap",
    "recent_jobs",
    "requeue",
    "run",
    "this_worker",
    "wake",
]
