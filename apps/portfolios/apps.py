"""Tells Django about the app."""

from django.apps import AppConfig


class PortfoliosConfig(AppConfig):
    name = "apps.portfolios"
    label = "portfolios"
