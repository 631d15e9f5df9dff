"""The server's side of a case: a view in a session of this process, and stock Django for the same states.

The session is driven as page.py and consumer.py drive it, frame by frame.
"""

import json

from django.middleware import csrf
from django.template.backends.django import DjangoTemplates
from django.utils import timezone, translation
from random_site import settings as project
from state_specs import build, change, context_of

from troupe import LiveView, _native, event_handler, wire
from troupe.runtime.request import build_request
from troupe.web import join, page_token

csrf._mask_cipher_secret = lambda secret: secret * 2  # or each render would have another token
SESSION, VIEW = b"s" * 16, b"v" * 16
MAIN = "main.html"


class Subject(LiveView):
    """A view whose state is what the case says."""

    template_name = MAIN

    def __init__(self, spec):
        self.spec, self.values = spec, build(spec)

    def get_context_data(self, **kwargs):
        """The state, and nothing else."""
        return context_of(self.values)

    @event_handler
    def change(self):
        """To the next state."""
        spec, in_place = self.coming
        self.values = change(self.values, self.spec, spec) if in_place else build(spec)
        self.spec = spec


class Failed(Exception):
    """The view could not be shown: FAILED."""


def facts_of(language=None):
    """The request map of a page."""
    return {
        "path": "/page/",
        "query": "",
        "user": None,
        "session_key": None,
        "csrf": "c" * 32,
        "language": language,
        "time_zone": None,
        "attrs": {},
    }


class Server:
    """A view in the worker's code. It must not have been mounted by anybody else."""

    def __init__(self, view, facts):
        self.view, self.facts = view, facts
        self.view.request = build_request(self.facts)
        self.session = _native.Session(SESSION)
        self.number = 0

    def _ask(self, kind, body, flags=0, sequence=wire.REQUEST_BIT, **more):
        header = wire.pack_header(kind, flags, SESSION, 0, sequence, 0)
        frame, data = self.session.run(header, wire.pack_body(body), **more)
        answer, fields = wire.unpack_header(frame)[1], wire.unpack_body(data)
        if answer in (wire.FAILED, wire.NOT_EXECUTED, wire.UNKNOWN):
            raise Failed(fields)
        return fields

    def page(self):
        """The page as HTTP would give it. Failed: mount did not work."""
        path = f"{type(self.view).__module__}.{type(self.view).__qualname__}"
        body = {"path": path, "params": {}, "init": {}, "view": VIEW, "request": self.facts}
        fields = self._ask(wire.MOUNT, body, wire.PAGE | wire.UNADOPTED, view=self.view)
        html, at = fields["html"], fields["at"]
        self.contents = page_token.make(SESSION, VIEW, path, {}, {}, self.facts, fields["version"])
        html = html[:at] + b' data-troupe="token"' + html[at:]
        return html.decode("utf-8", "replace")

    def join(self, version=None):
        """The frames that answer the page's join. version: the one that it shows, if it had joined before."""
        keys = ("view", "version", "path", "params", "init", "url")
        self.contents["version"] = self.contents["version"] if version is None else version
        body = {
            "generation": self.contents["generation"],
            "views": [{key: self.contents[key] for key in keys}],
            "request": self.facts,
            "identity": None,
        }
        fields = self._ask(wire.JOIN, body, wire.BROWSER)
        self.contents["generation"] = fields["generation"]
        self.contents["version"] = fields["views"][0]["version"]
        views = [join.joined_view(self.contents, view, True) for view in fields["views"]]
        return [json.dumps({"t": "joined", "n": fields["last"], "fresh": fields["fresh"], "views": views})]

    def leave(self):
        """The page's socket went."""
        header = wire.pack_header(wire.LEAVE, 0, SESSION, 0, wire.REQUEST_BIT, 0)
        self.session.run(header, wire.pack_body({}))

    def event(self, name, **params):
        """The frames of an event. Failed: the handler or the template raised."""
        self.number += 1
        body = {"view": VIEW, "name": name, "params": params}
        return self._frames(self._ask(wire.EVENT, body, wire.BROWSER, self.number), self.number)

    def answer(self, frame):
        """The frames for what the page asks by itself: a refresh."""
        if frame.get("t") != "refresh" or frame.get("v") != VIEW.hex():
            raise AssertionError(f"the page sent {frame}")
        body = {"view": VIEW}
        body.update({name: frame[key] for key, name in (("c", "chunks"), ("w", "whole")) if key in frame})
        return self._frames(self._ask(wire.REFRESH, body, wire.BROWSER), 0)

    def _frames(self, fields, number):
        if fields.get("frame") is not None:
            return [fields["frame"].decode()]
        return [json.dumps({"v": VIEW.hex(), "s": fields["version"], "a": number})]

    def close(self):
        """Ends the session."""
        self.session.close()


class Stock:
    """The same templates in Django as it is."""

    def __init__(self, case):
        options = project.TEMPLATES[1 if case.invalid else 0]
        loaders = [("django.template.loaders.locmem.Loader", case.sources())]
        given = {"loaders": [("django.template.loaders.cached.Loader", loaders)]}
        parameters = {"NAME": "stock", "DIRS": [], "APP_DIRS": False, "OPTIONS": {**options["OPTIONS"], **given}}
        engine = DjangoTemplates(parameters)
        templates = {name: engine.get_template(name) for name in case.sources()}  # each of them must parse
        self.template = templates[MAIN]
        self.case, self.request = case, build_request(facts_of(case.language))

    def render(self, spec):
        """The page's HTML. Whatever the template raises."""
        language = self.case.language or project.LANGUAGE_CODE
        with translation.override(language), timezone.override(None):
            html = str(self.template.render(context_of(build(spec)), self.request))
        return f"<div dj-root>{html}</div>" if self.case.wrapped else html


def install(case):
    """Puts the case's templates where the view's engine finds them."""
    from django.template import engines

    project.TEMPLATES_OF_CASE.clear()
    project.TEMPLATES_OF_INVALID.clear()
    (project.TEMPLATES_OF_INVALID if case.invalid else project.TEMPLATES_OF_CASE).update(case.sources())
    for engine in engines.all():
        for loader in engine.engine.template_loaders:
            loader.reset()
