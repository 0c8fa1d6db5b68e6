"""People in Django's admin: sensible lists, secrets never shown, the audit log read-only."""
