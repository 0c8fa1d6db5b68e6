"""Template tags of the markets."""
