"""The console's ideas in plain Python."""
