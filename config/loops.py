"""Long-running processes that are management commands, with a sign of life: `python -m config.loops NAME COMMAND …`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def main(name: str, *command: str) -> None:
    """Give signs of life under the process's name for as long as its command runs."""
    django.setup()

    from django.core.management import call_command  # both need the apps

    from apps.operations.heartbeat import start_heartbeat

    heartbeat = start_heartbeat(name)
    try:
        call_command(*command)
    finally:
        heartbeat.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
