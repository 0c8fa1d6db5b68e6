"""Assets, instruments, candles, live prices and watchlists."""
