"""Tickets: how a page gets cookies that its socket cannot set, without JavaScript seeing them (proto/PROTOCOL.md 9.7).

The session engine keeps the cookies, under a hash of the ticket. May use the ORM.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib.messages.storage.cookie import MessageDecoder, MessageEncoder
from django.contrib.sessions.backends.base import CreateError
from django.urls import NoReverseMatch, reverse

from . import session_engine

SECONDS = 60
HEADER = "X-Troupe-Ticket"

_COOKIES, _BOUND, _MESSAGES = "_troupe_cookies", "_troupe_bound", "_troupe_messages"


class HandedOver(NamedTuple):
    """What a ticket stands for. cookies: Set-Cookie texts. messages: of django.contrib.messages, to be stored with what
    the browser's own cookie has by now.
    """

    cookies: list[str]
    messages: list[Any]


def make(cookies: list[str], browser: Mapping[str, str], messages: Sequence[Any] = ()) -> str:
    """A ticket for these. browser: the cookies that it had before; only it may have these.

    RuntimeError: there is no session engine to keep them.
    """
    if not apps.is_installed("django.contrib.sessions") or session_engine.is_in_cookies():
        names = ", ".join([text.partition("=")[0] for text in cookies] + ["messages"] * bool(messages))
        raise RuntimeError(
            f"an event cannot set cookies ({names}) without django.contrib.sessions and a SESSION_ENGINE that keeps "
            "sessions on the server"
        )
    ticket = secrets.token_urlsafe(24)
    contents: dict[str, Any] = {_COOKIES: cookies, _BOUND: _mark_of(browser)}
    if messages:
        contents[_MESSAGES] = json.dumps(list(messages), cls=MessageEncoder)
    _create(_store(ticket), contents)
    return ticket


def check_exchange(own_page: bool) -> None:
    """RuntimeError: the page has nowhere to exchange a ticket. own_page: its URL is a LiveView's, which does.

    To be asked before anything changes: a session whose new key the browser never gets would be lost.
    """
    if own_page:
        return
    try:
        reverse("troupe-cookies")
    except NoReverseMatch as error:
        raise RuntimeError(
            "this event gives the browser a cookie (by a first write to the session, login(), logout(), cycle_key(), "
            "flush(), set_expiry(), or a redirect with messages or cookies), which a view in an ordinary page "
            '({% live_view %}) cannot do by itself: add path("troupe/", include("troupe.urls")) to the URLconf'
        ) from error


def redeem(ticket: str, browser: Mapping[str, str]) -> HandedOver | None:
    """What the ticket stands for, once. None: there is no such ticket any more, or it is another browser's."""
    if not _is_for(_store(ticket).load(), browser):
        return None
    # Whoever makes this entry may have them: engines make one atomically, and delete without saying whether it was
    # there. It goes after the ticket.
    claim = _store("claim " + ticket)
    try:
        _create(claim, {})
    except CreateError:
        return None
    store = _store(ticket)
    contents = store.load()
    store.delete(store.session_key)
    claim.delete(claim.session_key)
    if _COOKIES not in contents:
        return None
    return HandedOver(contents[_COOKIES], json.loads(contents.get(_MESSAGES, "[]"), cls=MessageDecoder))


def _create(store: Any, contents: dict[str, Any]) -> None:
    """Assigned, since Django would look for the session before it adds to it. CreateError: there is one."""
    store._session_cache = {**contents, "_session_expiry": SECONDS}
    store.save(must_create=True)


def _mark_of(browser: Mapping[str, str]) -> str:
    """By what a browser is known again: its session, or, without one, the secret in its CSRF cookie, which each page
    sets. Empty: it has neither, as it takes no cookies.
    """
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        if browser.get(name):
            return _hash(f"{name}={browser[name]}")
    return ""


def _is_for(contents: dict[str, Any], browser: Mapping[str, str]) -> bool:
    """Whether a ticket of these contents was made for this browser."""
    bound = contents.get(_BOUND)
    if _COOKIES not in contents or bound == _mark_of(browser):
        return _COOKIES in contents
    # For a browser without a session. If it has got one meanwhile, in another tab, that must not lose its place; but
    # the cookie of one that is over is as good as none.
    without = {name: value for name, value in browser.items() if name != settings.SESSION_COOKIE_NAME}
    key = browser.get(settings.SESSION_COOKIE_NAME)
    return bound in ("", _mark_of(without)) and not (key and session_engine.store_class()().exists(key))


def _store(ticket: str) -> Any:
    return session_engine.store_class()("troupe" + _hash(ticket))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
