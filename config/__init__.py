"""Where the house is wired; the only place that knows everything."""

from config import lazy
from config.celery import app as celery_app

__all__ = ["celery_app"]

lazy.install()
