"""A worker for tests, in plain Python: the part of PROTOCOL.md that the package's other side has to play.

`Session` has the interface of troupe._native.Session; `Broker` puts many of them behind a real ROUTER socket.
"""

import asyncio
import inspect
import json
import queue
import threading
from types import SimpleNamespace

import zmq
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from django.template import engines
from django.utils.module_loading import import_string

from troupe import wire

CHUNKS = ["AAAAAAAA", "BBBBBBBB"]  # of every view


class Refusal(Exception):
    """(type, body) to answer with."""


class Pending:
    """A turn that awaits."""

    def __init__(self, awaitable, finish):
        self.awaitable = awaitable
        self.finish = finish
        self.context = None


class Session:
    """See python/troupe/web/transport/inproc.py."""

    made = []

    def __init__(self, session_id, epoch=7):
        self.id = session_id
        self.epoch = epoch
        self.views = {}
        self.last = 0
        self.generation = 0
        self.replies = {}
        self.ended = False
        self.closed = False
        self.requests = []
        Session.made.append(self)

    def close(self):
        """No more turns."""
        self.closed = True

    def run(self, header, body, view=None):
        """(header, body), a Pending, or None where there is no reply."""
        assert not self.closed
        _, kind, flags, session, epoch, sequence, ttl = wire.unpack_header(header)
        fields = wire.unpack_body(body)
        assert type(fields.get("path", "")) is str and type(fields.get("name", "")) is str
        self.requests.append((kind, flags, fields))
        try:
            result = getattr(self, f"_{NAMES[kind]}")(fields, flags, sequence, view)
        except Refusal as refusal:
            result = refusal.args
        if isinstance(result, Pending):
            result.header = (session, sequence)
            return result
        return result and self._frames(session, sequence, *result)

    def resume(self, pending, value, error):
        """The rest of a turn."""
        return self._frames(*pending.header, *pending.finish(error))

    def _frames(self, session, sequence, kind, body, flags=0):
        return wire.pack_header(kind, flags, session, self.epoch, sequence, 0), wire.pack_body(body)

    def _mount(self, fields, flags, sequence, view):
        path = fields["path"]
        facts = fields.get("request") or {}
        if view is None:
            view = import_string(path)(**(fields.get("init") or {}))
            view.request = SimpleNamespace(facts=facts)
            answer = self._call_mount(view, path, fields["params"])
            if answer is not None:
                return answer
        key = fields.get("view") or bytes([len(self.views) + 1] * 16)
        self.views[key] = [view, 1]
        html = self._html(key)
        body = {"view": key, "version": 1, "last": self.last, "html": html.encode()}
        if flags & (wire.PAGE | wire.EMBED):
            if flags & wire.EMBED:
                html = html[html.index("<main") : html.index("</body>")]
            body.update(html=html.encode(), at=html.encode().index(b"<main") + 5)
        return wire.MOUNTED, body

    def _call_mount(self, view, path, params):
        try:
            if not view.authorize(view.request):
                raise PermissionDenied
        except PermissionDenied as error:
            return wire.FAILED, {"kind": "forbidden", "message": str(error)}
        try:
            result = view.mount(view.request, **params)
        except Http404 as error:
            return wire.FAILED, {"kind": "not_found", "message": str(error)}
        except Exception as error:
            return wire.FAILED, failure(f"{path}.mount", error, path, None)
        if isinstance(result, HttpResponseBase):
            headers = [[name, value] for name, value in result.items()]
            headers += [["Set-Cookie", cookie.OutputString()] for cookie in result.cookies.values()]
            headers.append(["Content-Length", "0"])
            return wire.MOUNTED, {"status": result.status_code, "headers": headers, "body": b""}
        return None

    def _html(self, key):
        view = self.views[key][0]
        return engines.all()[0].from_string(view.template_string).render(view.get_context_data())

    def _join(self, fields, flags, sequence, view):
        fresh = not self.views
        if not fresh and fields["generation"] != self.generation:
            return wire.NOT_EXECUTED, {"reason": "spent", "message": "this join was used already"}
        self.generation = fields["generation"] + 1
        return wire.JOINED, {
            "generation": self.generation,
            "last": self.last,
            "fresh": fresh,
            "views": [self._join_view(view, fields["request"]) for view in fields["views"]],
        }

    def _join_view(self, view, facts):
        if view["view"] not in self.views:
            mount = {**view, "request": facts}
            kind, body = self._mount(mount, 0, 0, None)
            if kind != wire.MOUNTED:
                return {"view": view["view"], "version": 0, "error": body}
            return {"view": view["view"], "version": 1, "html": body["html"], "number": self._number(view["view"])}
        known = {"number": self._number(view["view"]), "chunks": CHUNKS}
        version = self.views[view["view"]][1]
        if view["version"] != version:
            known["html"] = self._html(view["view"]).encode()
        return {"view": view["view"], "version": version, **known}

    def _number(self, key):
        return list(self.views).index(key)

    def _event(self, fields, flags, sequence, view):
        if sequence in self.replies:
            kind, body = self.replies[sequence]
            return kind, body, wire.REPEAT
        if sequence != self.last + 1:
            raise Refusal(wire.NOT_EXECUTED, {"reason": "gap", "message": "the number does not follow"})
        name = fields["name"]
        if fields["view"] not in self.views:
            return self._finish(sequence, wire.FAILED, {"kind": "view_not_found", "message": "no such view"})
        view = self.views[fields["view"]][0]
        path = f"{type(view).__module__}.{type(view).__qualname__}"
        handler = getattr(view, name, None)
        marked = getattr(handler, "_troupe_event_handler", False)
        if handler is None or name.startswith("_") or (flags & wire.BROWSER and not marked):
            body = {"kind": "handler_not_found", "message": f"Handler '{name}' not found on {path}"}
            return self._finish(sequence, wire.FAILED, {**body, "view_path": path, "event": name})

        def finish(error):
            if error is not None:
                return self._finish(sequence, wire.FAILED, failure(f"{path}.{name}", error, path, name))
            return self._finish(sequence, wire.DONE, self._done(fields["view"], flags, sequence))

        try:
            result = handler(**fields["params"])
        except Exception as error:
            return finish(error)
        if inspect.isawaitable(result):
            return Pending(result, finish)
        return finish(None)

    def _finish(self, sequence, kind, body):
        self.last = sequence
        self.replies[sequence] = (kind, body)
        return kind, body

    def _done(self, key, flags, sequence):
        self.views[key][1] += 1
        version, html = self.views[key][1], self._html(key)
        slots = {"0": {"h": html}}
        frame = {"v": self._number(key), "s": version, "a": sequence, "d": slots}
        body = {"version": version}
        if flags & wire.BROWSER:
            body["frame"] = json.dumps(frame).encode()
        if flags & wire.HTML:
            body.update(patch=json.dumps(slots).encode(), html=html.encode())
        return body

    def _refresh(self, fields, flags, sequence, view):
        if "chunks" in fields:
            number, version = self._number(fields["view"]), self.views[fields["view"]][1]
            chunks = [[chunk, {"h": "", "s": []}] for chunk in fields["chunks"] if chunk in CHUNKS]
            frame = {"v": number, "s": version, "a": 0, "c": chunks}
            return wire.DONE, {"version": version, "frame": json.dumps(frame).encode()}
        return wire.DONE, self._done(fields["view"], flags, 0)

    def _unmount(self, fields, flags, sequence, view):
        if self.views.pop(fields["view"], None) is None:
            return wire.FAILED, {"kind": "view_not_found", "message": "no such view"}
        return wire.UNMOUNTED, {}

    def _ping(self, fields, flags, sequence, view):
        return wire.PONG, {}

    def _shutdown(self, fields, flags, sequence, view):
        self.ended = True
        return wire.ENDED, {"reason": "shutdown"}

    def _leave(self, fields, flags, sequence, view):
        return None

    _ack = _leave


NAMES = {
    wire.MOUNT: "mount",
    wire.JOIN: "join",
    wire.EVENT: "event",
    wire.UNMOUNT: "unmount",
    wire.PING: "ping",
    wire.SHUTDOWN: "shutdown",
    wire.LEAVE: "leave",
    wire.ACK: "ack",
    wire.REFRESH: "refresh",
}


def failure(where, error, path, event):
    """The body of a FAILED for an exception."""
    return {
        "kind": "python",
        "message": f"Error in {where}(): {error}",
        "type": type(error).__name__,
        "frames": [["samples.py", 1, "broken", "raise <here>"]],
        "view_path": path,
        "event": event,
    }


async def _outcome(awaitable):
    try:
        await awaitable
    except Exception as error:
        return error


class Broker:
    """A broker with a worker in it, on a thread, behind a real ROUTER at `address`.

    seen: a queue of (kind, session, body) of all that came, in order. answer: if set, a function
    (kind, session, epoch, sequence, fields) → None for the usual reply, or a list of (kind, body) to send instead;
    (kind, body, 0) is unasked.
    """

    def __init__(self, address, epoch=7):
        self.address = address
        self.sessions = {}
        self.epoch = epoch
        self.seen = queue.Queue()
        self.answer = lambda *_: None
        self.client = None
        self._context = zmq.Context()
        self._orders = self._context.socket(zmq.PAIR)
        self._orders.bind("inproc://orders")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._thread.start()
        assert self._ready.wait(120)

    def order(self, *frames):
        """Send these frames to the client that last wrote of a session."""
        self._orders.send_multipart(frames or (b"",))

    def push(self, kind, session, body, epoch=None, sequence=0):
        """Send an unasked message."""
        epoch = self.epoch if epoch is None else epoch
        self.order(wire.pack_header(kind, 0, session, epoch, sequence, 0), wire.pack_body(body))

    def wait_for(self, kind):
        """The (session, body) of the next message of that type."""
        while True:
            found, session, body = self.seen.get(timeout=120)
            if found == kind:
                return session, body

    def close(self):
        """Stop the thread and free the address."""
        self._orders.send_multipart([b"stop"])
        self._thread.join(120)
        self._context.destroy(0)

    def _run(self):
        router = self._context.socket(zmq.ROUTER)
        router.setsockopt(zmq.LINGER, 0)
        router.bind(self.address)
        orders = self._context.socket(zmq.PAIR)
        orders.connect("inproc://orders")
        poller = zmq.Poller()
        poller.register(router, zmq.POLLIN)
        poller.register(orders, zmq.POLLIN)
        self._ready.set()
        while True:
            ready = dict(poller.poll())
            if orders in ready:  # before requests, so that a reply says that the orders were carried out
                while orders.poll(0):
                    frames = orders.recv_multipart()
                    if frames == [b"stop"]:
                        router.close(0)
                        orders.close(0)
                        return
                    router.send_multipart([self.client, *frames])
                continue
            if router in ready:
                client, header, body = router.recv_multipart()
                if header[4:20] != wire.NO_SESSION:
                    self.client = client
                for reply in self._handle(header, body):
                    router.send_multipart([client, *reply])

    def _handle(self, header, body):
        _, kind, _, session, epoch, sequence, _ = wire.unpack_header(header)
        fields = wire.unpack_body(body)
        own = self.answer(kind, session, epoch, sequence, fields)
        if own is None:
            own = self._usual(kind, session, header, body, sequence)
        else:
            own = [
                (wire.pack_header(reply, 0, session, self.epoch, *(number or [sequence]), 0), wire.pack_body(fields))
                for reply, fields, *number in own
            ]
        self.seen.put((kind, session, fields))
        return own

    def _usual(self, kind, session, header, body, sequence):
        if kind in (wire.LOGOUT,):
            return []
        if session == wire.NO_SESSION:
            reply, fields = (wire.PONG, {}) if kind == wire.PING else (wire.FIGURES, {"figures": {}})
            return [(wire.pack_header(reply, 0, session, 0, sequence, 0), wire.pack_body(fields))]
        if kind in (wire.MOUNT, wire.JOIN) and session not in self.sessions:
            self.sessions[session] = Session(session, self.epoch)
        actor = self.sessions.get(session)
        if actor is None:
            body = {"reason": "unknown_session", "message": "the session is not here"}
            return [(wire.pack_header(wire.NOT_EXECUTED, 0, session, 0, sequence, 0), wire.pack_body(body))]
        result = actor.run(header, body)
        if isinstance(result, Pending):
            result = actor.resume(result, None, asyncio.run(_outcome(result.awaitable)))
        if actor.ended:
            del self.sessions[session]
        return [result] if result else []
