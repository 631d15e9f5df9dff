"""Troupe: live views for Django, run as actors in a fleet of worker processes."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .context import computed, state
    from .decorators import event_handler
    from .errors import ActorError, HandlerTimeout
    from .runtime.fencing import fencing_token
    from .views import LiveView
    from .web.consumer import LiveViewConsumer
    from .web.logout import adisconnect_user, disconnect_user
    from .web.session_actor import SessionActor, create_session_actor

__version__ = "0.1.0"

_EXPORTS = {
    "ActorError": "errors",
    "HandlerTimeout": "errors",
    "LiveView": "views",
    "LiveViewConsumer": "web.consumer",
    "SessionActor": "web.session_actor",
    "adisconnect_user": "web.logout",
    "computed": "context",
    "create_session_actor": "web.session_actor",
    "disconnect_user": "web.logout",
    "event_handler": "decorators",
    "fencing_token": "runtime.fencing",
    "state": "context",
}

__all__ = [
    "ActorError",
    "HandlerTimeout",
    "LiveView",
    "LiveViewConsumer",
    "SessionActor",
    "__version__",
    "adisconnect_user",
    "computed",
    "create_session_actor",
    "disconnect_user",
    "event_handler",
    "fencing_token",
    "state",
]


def __getattr__(name: str) -> Any:
    """Imports on first use: a worker needs no Channels, and settings modules must be able to import this package."""
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'troupe' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
