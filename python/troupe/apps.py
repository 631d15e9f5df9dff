"""The Django application."""

from django.apps import AppConfig


class TroupeConfig(AppConfig):
    """Registers the system checks, ends a user's sessions when they log out, keeps errors from being mailed twice."""

    name = "troupe"
    verbose_name = "Troupe"

    def ready(self) -> None:
        """See the class."""
        from . import checks
        from .web import logout, reported_errors

        checks.register()
        logout.connect()
        reported_errors.install()
