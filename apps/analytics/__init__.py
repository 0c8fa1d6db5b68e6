"""Facts from candles: indicators, patterns, correlation, return and risk metrics."""
