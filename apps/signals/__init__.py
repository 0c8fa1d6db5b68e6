"""One verdict per instrument and timeframe, 0 to 100, with reasons."""
