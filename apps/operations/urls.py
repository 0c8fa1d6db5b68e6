"""Addresses of the console: health and metrics for machines, pages for those who run the instance."""

from django.urls import URLPattern, URLResolver, path

from apps.operations import api, views

app_name = "operations"
urlpatterns: list[URLPattern | URLResolver] = [
    path("health", api.HealthView.as_view(), name="health"),
    path("health/live", api.LiveView.as_view(), name="health-live"),
    path("health/ready", api.ReadyView.as_view(), name="health-ready"),
    path("health/startup", api.StartupView.as_view(), name="health-startup"),
    path("metrics", api.MetricsView.as_view(), name="metrics"),
    path("operations/", views.console, name="console"),
    path("operations/self-check/", views.self_check, name="self_check"),
    path("operations/self-check/start/", views.start_self_check, name="start_self_check"),
    path("operations/jobs/", views.job_list, name="jobs"),
    path("operations/jobs/<uuid:job_id>/cancel/", views.cancel_job, name="cancel_job"),
    path("operations/jobs/<uuid:job_id>/retry/", views.retry_job, name="retry_job"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("operations/console", api.ConsoleView.as_view(), name="console"),
    path("operations/jobs", api.JobsView.as_view(), name="jobs"),
    path("operations/jobs/<uuid:job_id>/cancel", api.CancelJobView.as_view(), name="cancel-job"),
    path("operations/jobs/<uuid:job_id>/retry", api.RetryJobView.as_view(), name="retry-job"),
    path("operations/self-check", api.SelfCheckView.as_view(), name="self-check"),
]
