"""Long-running processes that are management commands, with a sign of life: `python -m config.loops NAME COMMAND …`.

The command says through `on_ready` when the first sign may be given.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def main(name: str, *command: str) -> None:
    """Give signs of life under the process's name from when its command is ready until it ends."""
    django.setup()

    from django.core.management import call_command  # both need the apps

    from apps.operations.heartbeat import start_heartbeat

    call_command(*command, on_ready=lambda: start_heartbeat(name))  # it stops with the process


if __name__ == "__main__":
    main(*sys.argv[1:])
