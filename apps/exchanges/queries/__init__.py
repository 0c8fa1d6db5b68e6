"""Questions about connections."""
