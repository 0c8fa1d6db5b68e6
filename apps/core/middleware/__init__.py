"""What stands around every request, in the order that the settings name."""

from apps.core.middleware.identity import RequestIdMiddleware
from apps.core.middleware.metrics import MetricsMiddleware
from apps.core.middleware.outages import RETRY_AFTER_SECONDS, OutageMiddleware, outage_response
from apps.core.middleware.packing import PackingMiddleware
from apps.core.middleware.policy import AdminPolicyMiddleware, PolicyMiddleware
from apps.core.middleware.programs import ProgramsMiddleware

__all__ = [
    "RETRY_AFTER_SECONDS",
    "AdminPolicyMiddleware",
    "MetricsMiddleware",
    "OutageMiddleware",
    "PackingMiddleware",
    "PolicyMiddleware",
    "ProgramsMiddleware",
    "RequestIdMiddleware",
    "outage_response",
]
