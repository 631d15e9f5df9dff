"""The app."""

from django.apps import AppConfig


class PackagedConfig(AppConfig):
    """Its components have no module of their own that django-components would find."""

    name = "packaged"

    def ready(self):
        """Registers them."""
        from django.conf import settings

        if settings.WITH_COMPONENTS:
            import packaged.components  # noqa: F401
