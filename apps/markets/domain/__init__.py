"""Instruments, candles and prices in plain Python."""
