"""Addresses of the overview and of the shell's own files."""

from django.urls import path

from apps.dashboard import views

app_name = "dashboard"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("offline/", views.offline, name="offline"),
    path("design/", views.design, name="design"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("service-worker.js", views.service_worker, name="service_worker"),
    path("favicon.ico", views.favicon, name="favicon"),
]
