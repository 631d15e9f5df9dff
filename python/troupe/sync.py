"""Actors for callers without an event loop: WSGI, management commands, Celery.

    from troupe.sync import create_session_actor

    actor = create_session_actor("report-7")
    actor.mount("reports.views.Report", {"pk": 7})
    actor.event("refresh", {})
"""

import uuid
from typing import Any

from .web.client_thread import call
from .web.session_actor import SessionActor


class SyncSessionActor:
    """A SessionActor whose methods block until their result arrives. All raise ActorError. Any thread."""

    def __init__(self, actor: SessionActor) -> None:
        self._actor = actor
        self.session_id = actor.session_id

    def mount(self, view_path: str, params: dict[str, Any], python_view: Any = None) -> dict[str, Any]:
        """See SessionActor.mount."""
        return call(self._actor.mount, view_path, params, python_view)

    def event(self, name: str, params: dict[str, Any], view_id: str | None = None) -> dict[str, Any]:
        """See SessionActor.event."""
        return call(self._actor.event, name, params, view_id)

    def unmount(self, view_id: str | None = None) -> None:
        """See SessionActor.unmount."""
        return call(self._actor.unmount, view_id)

    def ping(self) -> bool:
        """See SessionActor.ping."""
        return call(self._actor.ping)

    def shutdown(self) -> None:
        """See SessionActor.shutdown."""
        return call(self._actor.shutdown)


def create_session_actor(session_id: str | bytes | uuid.UUID) -> SyncSessionActor:
    """A SyncSessionActor. session_id: see troupe.create_session_actor."""
    return SyncSessionActor(SessionActor(session_id))
