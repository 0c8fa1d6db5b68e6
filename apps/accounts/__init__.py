"""People: sign-in, roles, tokens, sessions, preferences and the audit log."""
