"""An app whose ready() imports Troupe's runtime, before a test runner has changed anything of Django's."""

from django.apps import AppConfig


class EarlyConfig(AppConfig):
    """See the module."""

    name = "cases"

    def ready(self):
        """Imports it."""
        import troupe.runtime.entry  # noqa: F401
