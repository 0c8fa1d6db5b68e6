"""Four exchanges in miniature that speak the real wire formats; imports nobody, nobody imports it."""
