"""Addresses of the console: health and metrics for machines, pages for those who run the instance."""

from django.urls import URLPattern, URLResolver, path

from apps.operations import api

app_name = "operations"
urlpatterns: list[URLPattern | URLResolver] = [
    path("health", api.HealthView.as_view(), name="health"),
    path("health/live", api.LiveView.as_view(), name="health-live"),
    path("health/ready", api.ReadyView.as_view(), name="health-ready"),
    path("health/startup", api.StartupView.as_view(), name="health-startup"),
    path("metrics", api.MetricsView.as_view(), name="metrics"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
