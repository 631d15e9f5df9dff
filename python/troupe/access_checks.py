"""System checks: what a live view says of who may see it, and nobody asks for."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage

from . import access_names
from .view_checks import live_views
from .views import LiveView

_LOGIN_MIDDLEWARE = "LoginRequiredMiddleware"


def check_access(**_: Any) -> list[CheckMessage]:
    """Attributes of access mixins without the mixin, and names that are nearly those of an access check.

    What would let everybody in is an error when the class is made (access_names.py).
    """
    messages: list[CheckMessage] = []
    told: set[tuple[type[LiveView], str]] = set()
    for cls, initkwargs in live_views():
        if cls.__subclasses__() and not initkwargs:
            continue  # a base class: those that derive from it may ask
        for name, advice in access_names.without_effect(cls, LiveView):
            if (cls, name) in told or (name in access_names.DETAILS and _is_asked(name, initkwargs)):
                continue
            told.add((cls, name))
            text = f"{cls.__module__}.{cls.__qualname__}.{name} has no effect: nothing here asks for it."
            hint = f"{advice} If it is something else, add troupe.W042 to SILENCED_SYSTEM_CHECKS."
            messages.append(checks.Warning(text, hint=hint, obj=cls, id="troupe.W042"))
    return messages


def _is_asked(name: str, initkwargs: dict[str, Any]) -> bool:
    """Whether as_view() or the project's middleware asks for a login, and so for this detail of it."""
    if initkwargs.get("login_required") or initkwargs.get("permission_required"):
        return True
    return name == "login_url" and any(path.endswith(_LOGIN_MIDDLEWARE) for path in settings.MIDDLEWARE)
