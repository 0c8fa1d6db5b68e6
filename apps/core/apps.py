"""Tells Django about the app."""

from django.apps import AppConfig
from django.core import checks


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        """Refuse to start with a switchboard that cannot work."""
        from apps.core import events  # late: apps are being loaded when this module is

        events.lines_for(events.Event)
        checks.register(events.check_switchboard)
