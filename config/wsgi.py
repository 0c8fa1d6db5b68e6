"""The web process: pages, admin, REST and static files under WSGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from apps.operations.heartbeat import start_heartbeat  # noqa: E402 - the apps can be imported once Django is set up

start_heartbeat("web")
