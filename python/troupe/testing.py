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

import contextvars
import sys
import uuid
from collections.abc import Callable, Coroutine
from typing import Any
from unittest import mock

from asgiref.sync import async_to_sync
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from . import wire
from .context import view_names
from .decorators import event_handler  # noqa: F401  so that tests may take it from here
from .errors import ActorError
from .hooks import check_instance
from .validation import refuse_unused
from .views import LiveView
from .web import transport
from .web.session_actor import SessionActor
from .web.transport import inproc


class _Session(SessionBase):
    """A session that is stored nowhere."""

    def exists(self, session_key: str) -> bool:
        return False

    def create(self) -> None:
        self._session_key = self._get_new_session_key()

    def save(self, must_create: bool = False) -> None:
        self._session_key = self._session_key or self._get_new_session_key()

    def delete(self, session_key: str | None = None) -> None:
        pass

    def load(self) -> dict[str, Any]:
        return {}


class _Request(WSGIRequest):
    """With the messages of its view, as in a worker."""

    @property
    def _messages(self) -> Any:
        from .runtime.messages import messages_of  # importable once Django is set up

        return messages_of(self)


# By client: what was raised during the call that it makes. One receiver for all, as connecting one clears caches.
_listening: dict[int, list[BaseException]] = {}


@receiver(got_request_exception, dispatch_uid="troupe.testing")
def _note_exception(**_: Any) -> None:
    error = sys.exc_info()[1]
    if error is not None:
        for raised in _listening.values():
            raised.append(error)


def _mount(view: LiveView, params: dict[str, Any]) -> Any:
    """Asks who may have the view, and calls mount(), as a turn of its own; what was answered. PermissionDenied."""
    from .runtime import gate, permissions
    from .runtime.messages import finish_messages  # importable once Django is set up
    from .runtime.turn import JOIN, TURN, Turn

    turn = Turn(view, JOIN, "mount")
    TURN.set(turn)
    args, kwargs, response = gate.enter(view, view.request, params, joins=False)
    response = response or permissions.before_mount(view, view.request, kwargs)
    if response is not None:
        if not response.has_header("Location"):
            raise PermissionDenied(f"instead of the view, there is a response of status {response.status_code}")
        return response
    result = view.mount(view.request, *args, **kwargs)
    refuse_unused(result, f"{type(view).__qualname__}.mount()")
    permissions.check_object(view, view.request)
    check_instance(view)
    if turn.messages is not None:
        finish_messages(turn)
    return result


class LiveViewTestClient:
    """Mounts one view and sends it events, with the same turns as in production, on the calling thread (inproc://).

    view_class: a LiveView subclass. user: the request's user; default: anonymous. raise_request_exception: what a
    handler raises is raised in the test, as by Django's client; False: an ActorError, as a program would get.
    initkwargs: those of as_view(). Needs no TROUPE setting. Its methods are sync.

    html: the page as Django renders it, after mount() and after each event. patches: what the last event changed in it,
    by slot (PROTOCOL.md 9.6), or None. redirect: where mount() or the last event sends the user, or None; such an event
    renders nothing. Tests of `html` do not break when a template is rearranged.
    """

    def __init__(
        self, view_class: type[LiveView], user: Any = None, raise_request_exception: bool = True, **initkwargs: Any
    ) -> None:
        self.view_class = view_class
        self.user = user
        self.raise_request_exception = raise_request_exception
        self.view: Any = None  # the LiveView; None before mount()
        self.html: str | None = None
        self.version: int | None = None
        self.patches: Any = None
        self.redirect: str | None = None
        self._initkwargs = initkwargs
        self._actor: SessionActor | None = None
        self._view_id: str | None = None

    def mount(self, **params: Any) -> "LiveViewTestClient":
        """Makes a new instance and calls mount(request, **params), whose exceptions are raised. Returns self.

        Who may have the view is asked first, as for a page; the decorators of its URL are not.
        """
        if self._actor is not None:
            self.close()
        view = self.view_class(**self._initkwargs)
        view.request = self._request()
        response = contextvars.copy_context().run(_mount, view, params)
        self.view, self.redirect = view, None
        if isinstance(response, HttpResponseBase) and response.has_header("Location"):
            from .runtime.results import redirect_url

            self.redirect = redirect_url(view, response)
            return self
        self._actor = SessionActor(uuid.uuid4())
        path = f"{self.view_class.__module__}.{self.view_class.__qualname__}"
        mounted = self._call(self._actor.mount, path, {}, view)
        self.html, self.version = mounted["html"], mounted["version"]
        self._view_id = mounted["view_id"]
        return self

    def send_event(self, name: str, /, *args: Any, **params: Any) -> dict[str, Any]:
        """Sends an event as a browser would: only decorated handlers run, unless TROUPE["STRICT_EVENTS"] is off. args:
        those of dj-click="name(…)".

        Returns {"html", "patches", "version", "redirect"}. Raises what the handler (or get_context_data(), or the
        template) raised.
        ActorError: there is no such handler, or the parameters are refused.
        """
        if self._actor is None:
            raise AssertionError("mount() comes before send_event()")
        if args:
            params["_args"] = list(args)
        result = self._call(self._actor.send_event, name, params, self._view_id, wire.BROWSER | wire.HTML)
        if result["html"] is not None:
            self.html = result["html"]
        self.patches, self.version = result["patches"], result["version"]
        self.redirect = result["redirect"]
        return result

    @property
    def state(self) -> dict[str, Any]:
        """The template's context: get_context_data(), and what the template sees of the view's class."""
        state = view_names(self.view, LiveView)
        context = self.view.get_context_data()
        if state is None:
            return context
        state.update(context)
        return state

    def assert_state(self, **expected: Any) -> None:
        """Fails unless each name has that value in `state`."""
        state = self.state
        for name, value in expected.items():
            if name not in state:
                raise AssertionError(f"{name!r} is not in the state: {sorted(state)}")
            if state[name] != value:
                raise AssertionError(f"{name} is {state[name]!r}, not {value!r}")

    def close(self) -> None:
        """Ends the session. Not needed at the end of a test."""
        if self._actor is not None:
            self._call(self._actor.shutdown)
            self._actor = None

    def _request(self) -> Any:
        from django.contrib.auth.models import AnonymousUser

        request = _Request(RequestFactory().get("/").environ)
        request.user = self.user if self.user is not None else AnonymousUser()
        request.session = _Session()
        return request

    def _call(self, function: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> Any:
        async def run() -> Any:
            return await function(*args)

        raised = _listening[id(self)] = []
        try:
            with mock.patch.object(transport, "get", inproc.get):
                return async_to_sync(run)()
        except ActorError as error:
            if raised and error.type and self.raise_request_exception:
                raise raised[-1] from None
            raise
        finally:
            del _listening[id(self)]
