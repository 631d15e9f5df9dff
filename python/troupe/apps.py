"""The Django application."""

from django.apps import AppConfig


class TroupeConfig(AppConfig):
    """Registers the system checks, and ends a person's sessions when they log out."""

    name = "troupe"
    verbose_name = "Troupe"

    def ready(self):
        """See the class."""
        from . import checks
        from .web import logout

        checks.register()
        logout.connect()
