"""The owner's console: processes, health, backups, self-check."""
