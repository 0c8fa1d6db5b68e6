"""Rules that backtest and trade on paper."""
