"""The console's verbs; one file a topic, the public ones named here."""

from apps.operations.actions.backups import back_up, restore

__all__ = ["back_up", "restore"]
