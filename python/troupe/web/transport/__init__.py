"""The transport that TROUPE["BROKER"] asks for; base.py says what a transport does."""

from ... import conf
from .base import Transport


def get() -> Transport:
    """The transport of the running loop. ImproperlyConfigured: inproc:// without the extension module. ActorError: no
    client can be made for the broker's address.
    """
    # Each is imported only where it is used: a worker needs no ZeroMQ here, and a fleet's Django no extension module.
    if conf.is_inproc():
        from . import inproc

        return inproc.get()
    from . import client

    return client.get()
