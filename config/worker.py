"""What a worker runs: the application with every task of the apps; the scheduler goes by their names alone."""

import gc
from importlib import import_module

from celery import signals

from config import lazy
from config.celery import app

__all__ = ["app"]

app.autodiscover_tasks()


@signals.worker_before_create_process.connect
def _share_memory_with_children(**_kwargs: object) -> None:
    """Load here what the tasks need, and keep the collector off it, so that forked children share its pages."""
    lazy.load_rooms()
    import_module("ccxt")
    gc.collect()
    gc.freeze()
