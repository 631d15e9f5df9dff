"""The Django application."""

from django.apps import AppConfig


class TroupeConfig(AppConfig):
    """Registers the system checks, ends a user's sessions when they log out, keeps errors from being mailed twice,
    and looks out for handshakes that a server has not understood.
    """

    name = "troupe"
    verbose_name = "Troupe"

    def ready(self) -> None:
        """See the class."""
        from . import checks
        from .web import logout, reported_errors, stray_handshakes

        checks.register()
        logout.connect()
        reported_errors.install()
        stray_handshakes.connect()
