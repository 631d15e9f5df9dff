"""The transport that TROUPE["BROKER"] asks for; see base.py for what a transport does."""

from ... import conf


def get():
    """The transport for the running loop. ImproperlyConfigured: inproc:// without the extension module."""
    if conf.is_inproc():
        from . import inproc

        return inproc.get()
    from . import client

    return client.get()
