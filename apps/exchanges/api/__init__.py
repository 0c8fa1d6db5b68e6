"""The exchanges over REST."""
