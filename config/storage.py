"""Where static files lie: under names that change with their content, also where one script imports another."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Hashes the names inside our scripts' `import` statements too: a module reached by two names would run twice."""

    support_js_module_import_aggregation = True
    # Django looks into every script; those of other packages import what they never ship.
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        ManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],  # type: ignore[attr-defined]  # noqa: SLF001
    )
