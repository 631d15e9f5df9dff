"""troupe._native itself: a session whose turn runs, waits or ends is not entered a second time."""

import gc
import threading
import weakref

import pytest

from troupe import LiveView, wire

native = pytest.importorskip("troupe._native")
SESSION, VIEW = b"s" * 16, b"v" * 16


class Inside(LiveView):
    """A view whose handler and whose end call `what` back."""

    template_string = "<main dj-root>{{ n }}</main>"
    what = None

    def __init__(self, what=None):
        self.what, self.n, self.raised = what, 0, []

    def get_context_data(self):
        return {"n": self.n}

    def call(self):
        try:
            self.what()
        except ValueError as error:
            self.raised.append(str(error))
        self.n += 1

    async def later(self):
        self.n += 10


class Last(Inside):
    template_string = "x"

    def __del__(self):
        self.call()


def head(kind, sequence=wire.REQUEST_BIT):
    return wire.pack_header(kind, wire.HTML, SESSION, 0, sequence, 0)


def mount(session, view):
    body = {"path": "runtime.test_entry_native.Inside", "params": {}, "view": VIEW}
    kind, answer = parts(session.run(head(wire.MOUNT), wire.pack_body(body), view))
    assert kind == wire.MOUNTED, answer


def event(session, number, name):
    body = {"view": VIEW, "name": name, "params": {}}
    return session.run(head(wire.EVENT, number), wire.pack_body(body))


def parts(result):
    frame, body = result
    return wire.unpack_header(frame)[1], wire.unpack_body(body)


REQUESTS = {
    "unmount": lambda session: session.run(head(wire.UNMOUNT), wire.pack_body({"view": VIEW})),
    "mount again": lambda session: mount(session, Inside()),
    "shutdown": lambda session: session.run(head(wire.SHUTDOWN), wire.pack_body({})),
    "event": lambda session: event(session, 1, "call"),
    "close": lambda session: session.close(),
}


@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_handler_cannot_enter_its_own_session(request_name):
    session = native.Session(SESSION)
    view = Inside(lambda: REQUESTS[request_name](session))
    mount(session, view)
    kind, body = parts(event(session, 1, "call"))
    assert kind == wire.DONE and b">1<" in body["html"]
    assert view.raised and view.raised[0].startswith("busy: ")
    assert parts(event(session, 2, "call"))[0] == wire.DONE  # and nothing was left behind
    session.close()


@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_view_that_is_taken_down_cannot_either(request_name):
    session, raised = native.Session(SESSION), []
    view = Last(lambda: REQUESTS[request_name](session))
    view.raised = raised
    mount(session, view)
    del view
    session.close()
    assert raised and raised[0].startswith("busy: ")


def test_one_thread_at_a_time():
    session = native.Session(SESSION)
    inside, go_on, results = threading.Event(), threading.Event(), []
    mount(session, Inside(lambda: (inside.set(), go_on.wait(120))))
    thread = threading.Thread(target=lambda: results.append(parts(event(session, 1, "call"))))
    thread.start()
    assert inside.wait(120)
    with pytest.raises(ValueError, match="busy"):
        event(session, 1, "call")
    go_on.set()
    thread.join(20)
    assert results[0][0] == wire.DONE
    session.close()


def test_a_turn_goes_on_in_a_context_that_is_in_use():
    session = native.Session(SESSION)
    mount(session, Inside())
    pending = event(session, 1, "later")
    pending.awaitable.close()
    kind, _ = parts(pending.context.run(session.resume, pending, None, None))
    assert kind == wire.DONE
    session.close()


def test_a_session_that_goes_while_it_waits():
    session = native.Session(SESSION)
    mount(session, Inside())
    pending = event(session, 1, "later")
    pending.awaitable.close()
    held = [session]
    del session
    pending.context.run(held.clear)  # its end runs Python of its own, in a context that is in use


def test_its_end_leaves_an_exception_alone():
    def waiting():
        session = native.Session(SESSION)
        mount(session, Inside())
        event(session, 1, "later").awaitable.close()
        return session

    with pytest.raises(TypeError, match="unsupported operand"):
        sum(waiting() for _ in range(1))  # sum() lets the last reference go when the addition has raised


def test_a_view_that_holds_its_session_is_collected():
    """A ring of both; the garbage collector has to see through the session."""
    session, view = native.Session(SESSION), Inside()
    mount(session, view)
    view.session, reference = session, weakref.ref(view)
    del session, view
    gc.collect()
    assert reference() is None


def test_a_view_that_somebody_holds_is_not():
    session, view = native.Session(SESSION), Inside(bool)
    mount(session, view)
    view.session = session
    del session
    gc.collect()
    assert parts(event(view.session, 1, "call"))[0] == wire.DONE
    view.session.close()
