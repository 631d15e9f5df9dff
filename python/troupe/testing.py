"""Tests of views, without a browser or a broker.

@override_settings(TROUPE={"BROKER": "inproc://"})     # or in the test settings
class CounterTests(TestCase):
    def test_increment(self):
        client = LiveViewTestClient(CounterView)
        client.mount(start=5)
        client.send_event("increment")
        client.assert_state(count=6)
        self.assertIn("6", client.html)
"""

import uuid
from unittest import mock

from asgiref.sync import async_to_sync
from django.contrib.sessions.backends.base import SessionBase
from django.test import RequestFactory

from . import wire
from .decorators import event_handler  # noqa: F401  so that tests may take it from here
from .validation import refuse_unused
from .web import transport
from .web.session_actor import SessionActor
from .web.transport import inproc


class _Session(SessionBase):
    """A session that is kept nowhere."""

    def exists(self, session_key):
        return False

    def create(self):
        self._session_key = self._get_new_session_key()

    def save(self, must_create=False):
        self._session_key = self._session_key or self._get_new_session_key()

    def delete(self, session_key=None):
        pass

    def load(self):
        return {}


class LiveViewTestClient:
    """Mounts one view and sends it events, through the same turns as in production, on this thread
    (inproc://).

    view_class: a LiveView subclass. user: who asks; default: nobody. initkwargs: those of as_view().
    Needs no TROUPE setting. Its methods are sync.

    html: the page as Django renders it, after mount() and after each event. patches: what the last event changed
    of it, by slot (PROTOCOL.md 9.6), or None. A test that looks at `html` does not break when a template is rearranged.
    """

    def __init__(self, view_class, user=None, **initkwargs):
        self.view_class = view_class
        self.user = user
        self.view = None
        self.html = None
        self.version = None
        self.patches = None
        self._initkwargs = initkwargs
        self._actor = None
        self._view_id = None

    def mount(self, **params):
        """Make a new instance and call mount(request, **params); what it raises is raised. Returns self."""
        if self._actor is not None:
            self.close()
        view = self.view_class(**self._initkwargs)
        view.request = self._request()
        refuse_unused(view.mount(view.request, **params), f"{self.view_class.__qualname__}.mount()")
        self.view = view
        self._actor = SessionActor(uuid.uuid4())
        path = f"{self.view_class.__module__}.{self.view_class.__qualname__}"
        mounted = self._call(self._actor.mount, path, {}, view)
        self.html, self.version = mounted["html"], mounted["version"]
        self._view_id = mounted["view_id"]
        return self

    def send_event(self, name, /, **params):
        """Send an event as a browser would: only decorated handlers run, unless TROUPE["STRICT_EVENTS"] is
        off.

        Returns {"html", "patches", "version"}. ActorError: the handler raised, or there is no such handler.
        """
        if self._actor is None:
            raise AssertionError("mount() comes before send_event()")
        result = self._call(self._actor.send_event, name, params, self._view_id, wire.BROWSER | wire.HTML)
        if result["html"] is not None:
            self.html = result["html"]
        self.patches, self.version = result["patches"], result["version"]
        return result

    @property
    def state(self):
        """What the template sees: get_context_data()."""
        return self.view.get_context_data()

    def assert_state(self, **expected):
        """Fail unless each name has that value in `state`."""
        state = self.state
        for name, value in expected.items():
            if name not in state:
                raise AssertionError(f"{name!r} is not in the state: {sorted(state)}")
            if state[name] != value:
                raise AssertionError(f"{name} is {state[name]!r}, not {value!r}")

    def close(self):
        """End the session. Not needed at the end of a test."""
        if self._actor is not None:
            self._call(self._actor.shutdown)
            self._actor = None

    def _request(self):
        from django.contrib.auth.models import AnonymousUser

        request = RequestFactory().get("/")
        request.user = self.user if self.user is not None else AnonymousUser()
        request.session = _Session()
        return request

    @staticmethod
    def _call(function, *args):
        async def run():
            return await function(*args)

        with mock.patch.object(transport, "get", inproc.get):
            return async_to_sync(run)()
