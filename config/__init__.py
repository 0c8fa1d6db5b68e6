"""Where the house is wired; the only place that knows everything."""
