"""The Celery application: the broker only wakes work that stands in rows; the request id travels with each task."""

import os
from typing import Any

from celery import Celery, signals

from apps.core import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("coinsphere")
app.config_from_object("django.conf:settings", namespace="CELERY")


@signals.setup_logging.connect
def _keep_our_logging(**_kwargs: object) -> None:
    """Stop Celery from setting up logging: the settings have done it."""


@signals.before_task_publish.connect
def _send_request_id(headers: dict[str, Any], **_kwargs: object) -> None:
    headers["request_id"] = headers.get("request_id") or logs.current_request_id()


@signals.task_prerun.connect
def _take_request_id(task_id: str, task: Any, **_kwargs: object) -> None:  # noqa: ANN401 - Celery's task has no stub
    logs.enter_task(task_id, getattr(task.request, "request_id", None))


@signals.task_postrun.connect
def _drop_request_id(task_id: str, **_kwargs: object) -> None:
    logs.leave_task(task_id)


@signals.worker_ready.connect
def _beat_as_worker(sender: Any, **_kwargs: object) -> None:  # noqa: ANN401 - Celery's consumer has no stub
    """Say that we live once the broker has been reached; the name is the first part of the host name."""
    _start_heartbeat(str(sender.hostname).partition("@")[0])


@signals.beat_init.connect
def _beat_as_scheduler(**_kwargs: object) -> None:
    _start_heartbeat("beat")


def _start_heartbeat(name: str) -> None:
    from apps.operations.heartbeat import start_heartbeat  # needs the tables, which are not there yet at import

    start_heartbeat(name)
