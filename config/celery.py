"""The Celery application: the broker only wakes work that stands in rows."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("coinsphere")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
