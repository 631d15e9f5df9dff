"""The Django application."""

from types import ModuleType

from django.apps import AppConfig

from .template import naming


class TroupeConfig(AppConfig):
    """Names the template engine, registers the system checks, ends a user's sessions when they log out, keeps errors
    from being mailed twice, and looks out for handshakes that a server has not understood.
    """

    name = "troupe"
    verbose_name = "Troupe"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        naming.connect()  # before the other apps' ready(): some change TEMPLATES there

    def ready(self) -> None:
        """See the class."""
        from . import checks
        from .web import logout, reported_errors, stray_handshakes

        checks.register()
        logout.connect()
        reported_errors.install()
        stray_handshakes.connect()
