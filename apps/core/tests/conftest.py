"""Fixtures of the kernel's tests: the table of chores, and sweeps that look at it."""

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from apps.core.jobs import sweep
from apps.core.tests.chores import Chore, Effect


@pytest.fixture(scope="session")
def chore_tables(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Make the tables once for the session; the test database is thrown away with them."""
    with django_db_blocker.unblock():
        existing = connection.introspection.table_names()
        with connection.schema_editor() as editor:
            for model in (Chore, Effect):
                if model._meta.db_table not in existing:
                    editor.create_model(model)


@pytest.fixture
def chores(chore_tables: None, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sweeps and overviews look at chores only, inside the test's transaction."""
    monkeypatch.setattr(sweep, "job_models", lambda: (Chore,))


@pytest.fixture
def committed_chores(chore_tables: None, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let several processes see the chores: rows are committed, and removed at the end."""
    monkeypatch.setattr(sweep, "job_models", lambda: (Chore,))
    yield
    Chore.objects.all().delete()
    Effect.objects.all().delete()
