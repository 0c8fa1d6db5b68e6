"""Addresses of the API's documentation, under `/api/`."""

from django.urls import path

from apps.core.api import docs

app_name = "core"
urlpatterns = [
    path("schema/", docs.SchemaView.as_view(), name="schema"),
    path("docs/", docs.read_docs, name="docs"),
    path("docs/problems", docs.read_problems, name="problems"),
]
