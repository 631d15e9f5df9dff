"""A page's join (proto/PROTOCOL.md 9.2, 5.1): from the tokens of its views to the entries of `joined`."""

import json
import logging
import secrets

from django.conf import settings

from .. import wire
from .._limits import MAX_VIEWS
from ..errors import from_fields, from_reply
from ..logs import word
from . import page_token, request_facts
from .frames import BadFrame

logger = logging.getLogger("troupe")

MAX_PLACES = 4 * MAX_VIEWS
UNSEEN = 0  # a version that no view has: the answer has the whole root


def read(scope, asked, fresh):
    """(contents of the tokens, the request map, whose they are) of a join. asked: of frames.AskedView. Where the ORM
    may be used. TokenError; BadFrame: the tokens do not belong together.
    """
    user = request_facts.person_of_scope(scope, fresh)
    tokens = [page_token.read(view.token, user, view.renewal) for view in asked]
    if len({one["session"] for one in tokens}) > 1 or len({one["view"] for one in tokens}) < len(tokens):
        raise BadFrame("tokens", "the tokens of a page name one session, and a view each")
    for contents, view in zip(tokens, asked, strict=True):
        if view.version is not None:
            contents["version"] = view.version
    return tokens, request_facts.of_scope(scope, user, tokens[0]), user


class Places:
    """Where the joins of one socket have led. A page that joins again, with the tokens that it had, means the session
    that this socket has: it did not see the answer yet, or lost it. Its tokens are spent, by this very socket, and the
    newest generation counts in place of theirs.
    """

    def __init__(self):
        self._session = None
        self._generation = 0
        self._sessions = set()  # those of the tokens that led there
        self._views = {}  # (session, view) of a token → its view there

    def follow(self, tokens):
        """(session, generation) to join with these tokens, whose contents are changed to what they stand for now."""
        session, generation = tokens[0]["session"], min(one["generation"] for one in tokens)
        if session not in self._sessions:
            return session, generation
        for contents in tokens:
            view = self._views.get((session, contents["view"]), contents["view"])
            if (session, contents["view"]) != (self._session, view):
                contents.update(session=self._session, view=view, version=UNSEEN)
        return self._session, max(generation, self._generation) if session == self._session else self._generation

    def joined(self, before, session, generation, views):
        """A join worked. before: (session, view) of each of its tokens, as the page has them; views: what they are now,
        in the same order.
        """
        if not self._sessions.intersection(origin for origin, _ in before) or len(self._views) > MAX_PLACES:
            self._sessions, self._views = set(), {}
        self._session, self._generation = session, generation
        self._sessions.update([session, *(origin for origin, _ in before)])
        self._views.update(zip(before, views, strict=True))
        self._views.update(((session, view), view) for view in views)


def body(generation, tokens, facts):
    """JOIN's body."""
    views = [{key: one[key] for key in ("view", "version", "path", "params", "init", "url")} for one in tokens]
    return {"generation": generation, "views": views, "request": facts, "identity": tokens[0]["identity"]}


def new_session():
    """The id of a session in place of one that is spent."""
    return secrets.token_bytes(16)


def busy_for(reply):
    """How many seconds the other side asks for, if it has no room just now; else None."""
    error = from_reply(reply.kind, reply.body) if reply.kind == wire.NOT_EXECUTED else None
    return error.retry_ms / 1000 if error and error.kind == "busy" and error.retry_ms else None


def is_spent(reply):
    """Whether another socket joined with this generation."""
    return reply.kind == wire.NOT_EXECUTED and from_reply(reply.kind, reply.body).kind == "spent"


def joined_view(contents, view, same):
    """A view's entry in `joined`. same: the token that the page has is of this session and view, and needs only to be
    renewed.
    """
    entry = {"v": contents["view"].hex(), "s": contents["version"]}
    if same:
        entry["g"] = page_token.renew(contents)
    else:
        entry["token"] = page_token.sign(contents)
    for short, name in (("i", "number"), ("k", "chunks")):
        if view.get(name) is not None:
            entry[short] = view[name]
    if view.get("html") is not None:
        entry["html"] = view["html"].decode()
    if view.get("title") is not None:
        entry["T"] = json.loads(view["title"])
    if view.get("error"):
        error = from_fields(view["error"])
        logger.warning("event=view_not_joined view=%s %s", word(contents["path"]), error.log_fields())
        entry["error"] = shown(error, "This part of the page could not be shown.")
    return entry


def shown(error, plain):
    """What a browser may know of an error: with DEBUG everything, otherwise its kind and a plain sentence."""
    if not settings.DEBUG:
        return {"kind": error.kind, "message": plain}
    return {
        "kind": error.kind,
        "message": error.message,
        "type": error.type or error.kind,  # pages write it in front of the message
        "frames": [list(frame) for frame in error.frames],
    }
