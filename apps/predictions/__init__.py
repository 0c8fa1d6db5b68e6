"""Datasets, models, forecasts and their scorecards."""
