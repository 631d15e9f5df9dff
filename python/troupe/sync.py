"""Actors for callers without an event loop: WSGI, management commands, Celery.

    from troupe.sync import create_session_actor

    actor = create_session_actor("report-7")
    actor.mount("reports.views.Report", {"pk": 7})
    actor.event("refresh", {})
"""

from .web.client_thread import call
from .web.session_actor import SessionActor


class SyncSessionActor:
    """A SessionActor whose methods wait for their answers. See web/session_actor.py."""

    def __init__(self, actor):
        self._actor = actor
        self.session_id = actor.session_id

    def mount(self, view_path, params, python_view=None):
        """See SessionActor.mount."""
        return call(self._actor.mount, view_path, params, python_view)

    def event(self, name, params, view_id=None):
        """See SessionActor.event."""
        return call(self._actor.event, name, params, view_id)

    def unmount(self, view_id=None):
        """See SessionActor.unmount."""
        return call(self._actor.unmount, view_id)

    def ping(self):
        """See SessionActor.ping."""
        return call(self._actor.ping)

    def shutdown(self):
        """See SessionActor.shutdown."""
        return call(self._actor.shutdown)


def create_session_actor(session_id):
    """A SyncSessionActor. session_id: see session_actor.session_bytes."""
    return SyncSessionActor(SessionActor(session_id))
