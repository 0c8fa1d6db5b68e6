"""Plain values of the pages."""
