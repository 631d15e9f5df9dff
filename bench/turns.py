"""A view in a session of this process (the worker's turns, no broker), driven as a page's socket would drive it."""

import os
import sys
import time

from harness import BUILD, PROJECT, ROOT

SESSION, VIEW = b"s" * 16, b"v" * 16


def set_up():
    """Django with the benchmark's settings, and the extension module of the build that is measured."""
    sys.path[:0] = [str(PROJECT), str(ROOT / "python")]
    os.environ["DJANGO_SETTINGS_MODULE"] = "benched.settings"
    os.environ["TROUPE_FRONT"] = "inproc://"
    import django

    import troupe

    troupe.__path__.insert(0, str(BUILD / "worker" / "py"))
    django.setup()


class Page:
    """A view's page: mounted, and joined."""

    def __init__(self, view):
        from troupe import _native, wire
        from troupe.runtime.request import build_request

        self.wire, self.view, self.number = wire, view, 0
        self.facts = {"path": "/table/", "query": "", "user": None, "language": None, "attrs": {}}
        view.request = build_request(self.facts)
        self.session = _native.Session(SESSION)
        body = {"path": "benched.tables.TableView", "params": {}, "view": VIEW, "request": self.facts}
        mounted = self._ask(wire.MOUNT, body, wire.PAGE | wire.UNADOPTED, view=view)
        self.html = mounted["html"]
        asked = {"view": VIEW, "version": mounted["version"], "path": body["path"], "params": {}}
        self._ask(wire.JOIN, {"generation": 0, "views": [asked], "request": self.facts}, wire.BROWSER)

    def _ask(self, kind, body, flags, number=0, **more):
        wire = self.wire
        header = wire.pack_header(kind, flags, SESSION, 0, number or wire.REQUEST_BIT, 0)
        frame, data = self.session.run(header, wire.pack_body(body), **more)
        kind, fields = wire.unpack_header(frame)[1], wire.unpack_body(data)
        if kind in (wire.FAILED, wire.NOT_EXECUTED, wire.UNKNOWN):
            raise RuntimeError(f"a turn was answered {fields}")
        return fields

    def event(self, name, **params):
        """The frame that a browser gets for an event of the view."""
        self.number += 1
        body = {"view": VIEW, "name": name, "params": params}
        return self._ask(self.wire.EVENT, body, self.wire.BROWSER, self.number).get("frame", b"")

    def timed(self, **params):
        """(seconds from the handler's return until the reply with the frame is there, frame) of a `change`."""
        wire = self.wire
        self.number += 1
        body = wire.pack_body({"view": VIEW, "name": "change", "params": params})
        header = wire.pack_header(wire.EVENT, wire.BROWSER, SESSION, 0, self.number, 0)
        _, data = self.session.run(header, body)
        now = time.perf_counter_ns()
        return (now - type(self.view).left) / 1e9, wire.unpack_body(data)["frame"]
