"""The Django application."""

from django.apps import AppConfig


class TroupeConfig(AppConfig):
    """Registers the system checks, and ends a user's sessions when they log out."""

    name = "troupe"
    verbose_name = "Troupe"

    def ready(self) -> None:
        """See the class."""
        from . import checks
        from .web import logout

        checks.register()
        logout.connect()
