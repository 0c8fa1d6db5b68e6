"""Commands of the console and of the supervisor."""
