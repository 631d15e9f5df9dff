"""Events that are none, handlers that misbehave, templates that fail: an error for whoever asked, for nobody else."""

import re

import pytest
from browser import Visitor
from fleet import wait_until

from troupe import wire

HANDLERS = "house.bad.Handlers"


@pytest.fixture
def reported(fleet):
    """The worker has to report an exception, as Django logs it."""
    fleet.expect_reports()


@pytest.fixture
def session(client):
    """A session of house.bad.Handlers; afterwards it still counts."""
    session = client.mount(HANDLERS)
    yield session
    session.event("back_to_zero")
    assert output(session.event("increment")) == "1"
    session.shutdown()


def output(answer):
    """What the counter of a DONE shows."""
    assert answer.kind == wire.DONE, answer
    return answer.body["html"].decode().split("<output>")[1].split("</output>")[0]


# Names.

NO_HANDLERS = [
    "__init__",
    "__class__",
    "__dict__",
    "mount",
    "_x",
    "_Handlers__secret",
    "get_context_data",
    "authorize",
    "as_view",
    "template_string",
    "request",
    "use_actors",
    "prop",
    "not_callable",
    "function_of_elsewhere",
    "inner",
    "count",
    "nobody",
    "a.b",
    "increment.__globals__",
    "increment()",
    "increment ",
    "Increment",
    "static",
    "of_class",
    "nowhere",
    "",
    "0",
    "ｉncrement",  # Python's identifiers are normalised, ours are not
    "incre\0ment",
    "lambda",
]


@pytest.mark.parametrize("name", NO_HANDLERS)
@pytest.mark.parametrize("flags", [wire.HTML, wire.BROWSER], ids=["trusted", "browser"])
def test_names_that_are_no_handlers(bystander, session, name, flags):
    answer = session.event(name, flags=flags)
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "handler_not_found"), answer
    assert answer.body["message"] == f"Handler '{name}' not found on {HANDLERS}"
    assert session.event(name, number=session.number, flags=flags).flags & wire.REPEAT  # the number is used


@pytest.mark.parametrize("name", ["helper"])
def test_undecorated_helper_is_no_browser_s(session, name):
    answer = session.event(name, flags=wire.BROWSER)
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "handler_not_found")
    assert output(session.event(name)) == "-1"  # a trusted caller may


@pytest.mark.parametrize("name", ["__init__", "mount", "_x", "get_context_data", "prop", "a.b", "helper", "", "x" * 64])
def test_names_from_a_browser(visitor, bystander, name):
    with visitor.open("/bad/Handlers/") as page:
        frame = page.event(name)
        assert frame["t"] == "failed" and frame["error"]["kind"] == "handler_not_found"
        assert frame["error"]["message"] == f"The event '{name}' could not be handled."
        assert ">1<" in page.shows("increment")


def test_long_name_from_a_browser(fleet, visitor):
    fleet.expect_log("event=bad_event", times=1, name="web")
    with visitor.open("/bad/Handlers/") as page:
        frame = page.event("x" * 65)
        assert (frame["t"], frame["reason"]) == ("refused", "malformed")
        page.number = 0  # it took no number
        assert ">1<" in page.shows("increment")


def test_long_name_at_the_worker(session):
    answer = session.event("x" * 65)
    assert answer.kind == wire.NOT_EXECUTED and answer.reason in ("malformed", "too_large")
    session.number = 0


def test_view_that_is_not_there(session, visitor):
    right, session.view = session.view, b"nobody's view id"
    answer = session.event("increment")
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "view_not_found")
    session.view = right
    with visitor.open("/bad/Handlers/") as page:
        frame = page.event("increment", view="ab" * 16)
        assert (frame["t"], frame["error"]["kind"]) == ("failed", "view_not_found")
        assert ">1<" in page.shows("increment")


# Parameters.


def test_wrong_parameters(session):
    for params, missing in (({}, "one"), ({"one": 1}, "two"), ({"self": 1, "two": 2}, "one")):
        answer = session.event("needs", params)
        assert (answer.kind, answer.body["kind"], answer.body.get("type")) == (wire.FAILED, "params", None), params
        assert answer.body["message"].startswith(f"needs(): parameter '{missing}' is missing; what came: ")
    for total, more in (("3", {}), ("6", {"three": 3}), ("9", {"self": 1})):
        assert output(session.event("needs", {"one": 1, "two": 2, **more})) == total


@pytest.mark.parametrize("name", ["", "a b", "class", "__class__", "ä", "1", "a\0b"])
def test_odd_names_of_parameters(client, name):
    counter = client.mount("house.views.Counter")
    assert output(counter.event("count_of", {name: 1})) == "1"
    counter.shutdown()


@pytest.mark.parametrize("count", [256, 257, 10_000])
def test_many_parameters(client, count):
    counter = client.mount("house.views.Counter")
    answer = counter.event("count_of", {f"p{number}": number for number in range(count)})
    if count <= 256:
        assert output(answer) == str(count)
    else:
        assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "params")
        assert str(count) in answer.body["message"]
    assert counter.event("increment").kind == wire.DONE
    counter.shutdown()


def test_many_parameters_from_a_browser(fleet, visitor):
    with visitor.open("/counter/0/") as page:
        frame = page.event("count_of", {f"p{number}": 0 for number in range(5000)})
        assert (frame["t"], frame["error"]["kind"]) == ("failed", "params")
        assert ">1<" in page.shows("increment")


def test_long_text(client, troupe):
    counter = client.mount("house.views.Counter")
    answer = counter.event("measure", {"text": "x" * 1_000_000})
    assert "</output>1000000</div>" in answer.body["html"].decode()
    counter.shutdown()


def test_text_of_two_megabytes(fleet, client, bystander):
    counter = client.mount("house.views.Counter")
    fleet.expect_log("event=bad_request reason=too_large", times=1, name="broker")
    answer = counter.event("measure", {"text": "x" * (2 << 20)})
    assert (answer.kind, answer.reason) == (wire.NOT_EXECUTED, "too_large")
    counter.number = 0
    assert output(counter.event("increment")) == "1"
    counter.shutdown()


def test_text_of_two_megabytes_in_mount(fleet, client):
    fleet.expect_log("event=bad_request reason=too_large", times=1, name="broker")
    answer = client.ask(wire.MOUNT, {"path": HANDLERS, "params": {"text": "x" * (2 << 20)}}, b"a session's bytes"[:16])
    assert (answer.kind, answer.reason) == (wire.NOT_EXECUTED, "too_large")


# Handlers.

RAISING = {
    "boom": ("ValueError", 'boom <b>&</b> "quoted"\nsecond line'),
    "exits": ("SystemExit", "3"),
    "interrupts": ("KeyboardInterrupt", "KeyboardInterrupt"),
    "generator_exit": ("GeneratorExit", "GeneratorExit"),
    "exits_async": ("SystemExit", "3"),
    "interrupts_async": ("KeyboardInterrupt", "KeyboardInterrupt"),
    "cancels_async": ("CancelledError", "CancelledError"),
    "cancels_itself": ("CancelledError", "CancelledError"),
    "recurse": ("RecursionError", "maximum recursion depth exceeded"),
    "recurse_async": ("RecursionError", "maximum recursion depth exceeded"),
    "recurse_repr": ("RecursionError", "maximum recursion depth exceeded"),
    "unshowable": ("Unshowable", "<Unshowable that cannot be shown>"),
    "surrogate": ("ValueError", "? alone"),
}


@pytest.mark.usefixtures("reported")
@pytest.mark.parametrize("name", RAISING)
def test_handlers_that_raise(bystander, session, name):
    kind, words = RAISING[name]
    answer = session.event(name)
    assert (answer.kind, answer.body["kind"], answer.body["type"]) == (wire.FAILED, "python", kind), answer
    assert answer.body["message"].startswith(f"Error in {HANDLERS}.{name}(): {words}")
    assert answer.body["view_path"] == HANDLERS and answer.body["event"] == name
    file, line, function, source = answer.body["frames"][-1]
    assert file.endswith(".py") and line > 0 and function and isinstance(source, str)
    assert len(answer.body["frames"]) <= 40


@pytest.mark.usefixtures("reported")
def test_message_of_three_megabytes_is_cut(session):
    answer = session.event("long_text")
    assert answer.kind == wire.FAILED and len(answer.body["message"]) < 10_000


@pytest.mark.usefixtures("reported")
def test_state_is_as_the_handler_left_it(client):
    session = client.mount(HANDLERS)
    assert session.event("boom").kind == wire.FAILED  # it had counted
    assert output(session.event("increment")) == "2"
    session.shutdown()


def test_handler_that_returns_garbage(session):
    assert output(session.event("garbage")) == "0"


@pytest.mark.usefixtures("reported")
def test_handler_that_returns_a_response_that_cannot_be_delivered(session):
    answer = session.event("garbage_response")
    assert (answer.kind, answer.body["type"]) == (wire.FAILED, "TypeError")


@pytest.mark.usefixtures("reported")
def test_stopping_the_loop_does_not_stop_async_handlers(bystander, session):
    session.event("stops_the_loop")
    for _ in range(3):
        answer = session.event("exits_async")
        assert answer.body["type"] == "SystemExit"


@pytest.mark.usefixtures("reported")
def test_handler_that_deletes_its_attributes(session):
    assert output(session.event("strip")) == ""
    failed = session.event("increment")
    assert (failed.kind, failed.body["type"]) == (wire.FAILED, "AttributeError")


@pytest.mark.parametrize("name", ["drops_request", "becomes_another"])
def test_handlers_that_break_the_view(fleet, client, bystander, name):
    """Whatever is answered, it is answered, and the session can be ended."""
    fleet.watch.allow(r"ERROR django\.request Internal Server Error")
    session = client.mount(HANDLERS)
    for event in (name, "increment", name):
        assert session.event(event).kind in (wire.DONE, wire.FAILED)
    session.shutdown()


def test_lone_surrogate_in_the_page(session):
    answer = session.event("surrogate_in_state")
    assert answer.kind in (wire.DONE, wire.FAILED)
    if answer.kind == wire.DONE:
        assert output(answer) == "?" or output(answer) == "\ufffd"


def test_page_over_the_reply_s_limit(session):
    answer = session.event("huge_html")
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "template"), answer
    assert "limit" in answer.body["message"]


# State, templates, mounts.


@pytest.mark.usefixtures("reported")
@pytest.mark.parametrize(
    ("mode", "kind", "words"),
    [
        ("garbage", "TypeError", "get_context_data() must return a dict, not int"),
        ("nothing", "TypeError", "get_context_data() must return a dict, not NoneType"),
        ("raises", "LookupError", "no context today"),
        ("exits", "SystemExit", "4"),
    ],
)
def test_context_that_goes_wrong(client, bystander, mode, kind, words):
    session = client.mount("house.bad.Context")
    answer = session.event("set_mode", {"mode": mode})
    assert (answer.kind, answer.body["kind"], answer.body["type"]) == (wire.FAILED, "python", kind)
    assert answer.body["message"] == f"Error in house.bad.Context.get_context_data(): {words}"
    answer = session.event("set_mode", {"mode": "well"})
    assert "well" in answer.body["html"].decode()
    session.shutdown()


def test_context_with_keys_that_are_no_text(client):
    session = client.mount("house.bad.Context")
    assert session.event("set_mode", {"mode": "keys"}).kind == wire.DONE
    session.shutdown()


@pytest.mark.usefixtures("reported")
def test_template_that_raises_after_an_event(client, bystander):
    session = client.mount("house.bad.Raises")
    answer = session.event("arm")
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "template")
    assert answer.body["type"] == "ZeroDivisionError"
    assert answer.body["message"] == "Error in template of house.bad.Raises: in the template"
    assert session.event("disarm").kind == wire.DONE
    session.shutdown()


MOUNTS = {
    "NoTemplate": ("template", "template does not exist: house/nowhere.html"),
    "NoTemplateAtAll": ("template", "has neither template_name nor template_string"),
    "BadSyntax": ("template", "Unexpected end of expression in if tag"),
    "IncludesItself": ("template", "maximum recursion depth exceeded"),
    "MountRaises": ("python", "Error in house.bad.MountRaises.mount(): mount failed with launch code 0000"),
    "MountExits": ("python", "Error in house.bad.MountExits.mount(): 5"),
    "MountAsync": ("python", "Error in house.bad.MountAsync.mount(): it returned a coroutine, whose body did not run"),
    "AuthorizeAsync": ("python", "house.bad.AuthorizeAsync.authorize() returned a coroutine, whose body did not run"),
    "ContextAsync": ("python", "house.bad.ContextAsync.get_context_data(): it returned a coroutine"),
    "BadInit": ("python", "Error in house.bad.BadInit(): not today"),
    "AuthorizeRaises": ("python", "who"),
}


@pytest.mark.usefixtures("reported")
@pytest.mark.parametrize("name", MOUNTS)
def test_mounts_that_fail(fleet, client, bystander, name):
    kind, words = MOUNTS[name]
    before = client.figures()["sessions"]
    answer = client.ask(wire.MOUNT, {"path": f"house.bad.{name}", "params": {}}, name.ljust(16).encode())
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, kind), answer
    assert words in answer.body["message"]
    wait_until(lambda: client.figures()["sessions"] <= before, "the session of a failed mount to end")


def test_template_without_a_root(visitor):
    with visitor.open("/bad/NoRoot/") as page:
        assert re.search(r"^(<script [^>]*></script>)+<div data-troupe=[^>]* dj-root></div>$", page.html)


# What a browser sees of it, and the log.


def expect_failed_mount(fleet, name, web):
    """The worker reports it, and nobody else does. An __init__() that raises does so in the web process already."""
    if name == "BadInit":
        fleet.expect_log(f"ERROR django.request Internal Server Error: /bad/{name}/.*not today", times=1, name=web)
        return
    fleet.expect_log(f"WARNING troupe event=mount_failed view=house.bad.{name} ", times=1, name=web)
    fleet.expect_reports(1)


@pytest.mark.parametrize("name", MOUNTS)
def test_failed_mount_in_production_is_a_plain_500_and_full_in_the_log(fleet, visitor, name):
    kind, words = MOUNTS[name]
    expect_failed_mount(fleet, name, "web")
    reply = visitor.get(f"/bad/{name}/")
    assert reply.status == 500
    for secret in (words, "house", "Traceback", "ActorError", "launch"):
        assert secret not in reply.text
    if name == "MountRaises":  # where it happened is for the log only
        fleet.expect_log(r'raise RuntimeError\(f"mount failed with')


@pytest.mark.usefixtures("reported")
def test_failed_event_in_production_is_plain_and_full_in_the_log(fleet, visitor):
    fleet.expect_log(r"house\.bad\.Handlers\.boom.*ValueError|ValueError.*house\.bad\.Handlers\.boom", times=1)
    with visitor.open("/bad/Handlers/") as page:
        frame = page.event("boom")
        assert frame["t"] == "failed"
        assert frame["error"] == {"kind": "python", "message": "The event 'boom' could not be handled."}
        assert ">2<" in page.shows("increment")


@pytest.fixture(scope="module")
def debug_port(shared_fleet):
    """An ASGI server with DEBUG, on the shared fleet."""
    return shared_fleet.start_web("web-debug", SCENARIO_DEBUG="1")


@pytest.mark.parametrize("name", MOUNTS)
def test_failed_mount_in_development_is_told(fleet, debug_port, name):
    kind, words = MOUNTS[name]
    expect_failed_mount(fleet, name, "web-debug")
    reply = Visitor(debug_port).get(f"/bad/{name}/")
    assert reply.status == 500
    from django.utils.html import escape

    assert escape(words.split("(): ")[-1]) in reply.text and name in reply.text


def test_failed_event_in_development_is_told(fleet, debug_port):
    fleet.expect_log("event=failed view=house.bad.Handlers name=boom ", times=1, name="web-debug")
    fleet.expect_reports(1)
    with Visitor(debug_port).open("/bad/Handlers/") as page:
        error = page.event("boom")["error"]
        assert error["type"] == "ValueError"
        assert error["message"].startswith("Error in house.bad.Handlers.boom(): boom <b>")
        assert error["frames"][-1][2] == "boom" and error["frames"][-1][3].startswith("raise ValueError")
