"""The addresses of pages, admin and REST; each app names its own in its `urls.py`."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("", include("apps.dashboard.urls")),
]
