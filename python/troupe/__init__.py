"""Troupe: live views for Django, run as actors in a fleet of worker processes."""

from importlib import import_module

__version__ = "0.1.0"

_EXPORTS = {
    "ActorError": "errors",
    "HandlerTimeout": "errors",
    "LiveView": "views",
    "LiveViewConsumer": "web.consumer",
    "SessionActor": "web.session_actor",
    "create_session_actor": "web.session_actor",
    "event_handler": "decorators",
    "fencing_token": "runtime.fencing",
}

__all__ = ["__version__", *_EXPORTS]


def __getattr__(name):
    """Import on first use: a worker needs no Channels, and a settings module must be able to import this
    package.
    """
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'troupe' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
    return value


def __dir__():
    return sorted(__all__)
