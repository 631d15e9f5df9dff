"""A long async handler shows how far it is, and may take as long as it awaits."""

import signal

import pytest
from browser import Visitor

PAGE = "case_43_progress/Work/"


@pytest.fixture
def gate(tmp_path):
    """Files whose names begin so let a handler go on."""
    return tmp_path / "gate"


def open_gate(gate, which=""):
    gate.with_name(f"{gate.name}{which}").touch()


def wait_shown(page, text):
    """Frames that nobody asked for, until the page shows that: answers to a refresh come behind a running handler."""
    page.wait_for(lambda frame: text in str(frame.get("d", "")))


def test_in_chromium(site, gate):
    """Each step is shown while the handler still runs, and the click is answered at its end."""
    site.open(f"{PAGE}?gate={gate}")
    site.click("#work")
    for percent in (25, 50, 75):
        site.wait_texts("output", [str(percent)])
        site.wait_texts("i", [str(percent)])
        assert site.run("return document.querySelector('#work').classList.contains('dj-loading')")
        open_gate(gate, percent)
    site.wait_texts("output", ["100"])
    site.wait_texts("i", ["100"])


def test_the_connection_breaks_meanwhile(site, gate):
    """The page is connected again before the handler goes on, and shows all that it does from then on."""
    site.open(f"{PAGE}?gate={gate}")
    site.click("#work")
    site.wait_texts("output", ["25"])
    site.run("dispatchEvent(new Event('pagehide'))")  # closes the socket, as a page does that is put away
    open_gate(gate, 25)
    site.run(
        "document.documentElement.classList.remove('troupe-connected');"
        "document.addEventListener('troupe:connected', () => document.title = 'again');"
        "dispatchEvent(new Event('pageshow'))"
    )
    site.wait_texts("title", ["again"])
    site.wait_texts("output", ["50"])
    assert site.run("return document.querySelector('#work').classList.contains('dj-loading')")
    for percent in (50, 75):
        open_gate(gate, percent)
    site.wait_texts("output", ["100"])
    site.wait_texts("i", ["100"])
    assert not site.run("return document.querySelector('#work').classList.contains('dj-loading')")


@pytest.mark.parametrize("event", ["hurry", "from_elsewhere"])
def test_no_update_is_lost(visitor, gate, event):
    with visitor.open(f"/{PAGE}?gate={gate}") as page:
        number = page.post(event)
        wait_shown(page, "199" if event == "hurry" else "3")
        open_gate(gate)
        page.answer_to(number)
        assert f"<output>{199 if event == 'hurry' else 3}</output>" in page.root()


def test_what_was_shown_is_stored(make_fleet, gate, tmp_path):
    """A worker that dies in the middle: the page comes back with what it showed, and the event's end is unknown."""
    fleet = make_fleet(broker=["--keep", str(tmp_path / "sessions")])
    with Visitor(fleet.port).open(f"/{PAGE}?gate={gate}") as page:
        number = page.post("fails")
        wait_shown(page, "10")
        worker = fleet.workers["w1"]
        worker.signal(signal.SIGKILL)
        worker.wait_exit()
        fleet.start_worker("w2")
        assert page.wait_type("lost")["reason"] == "worker_lost"
        joined = page.join()
        while joined["t"] == "error" and joined["reason"] == "no_worker":
            joined = page.reconnect()
        assert joined["restored"] is True
        page.send(t="event", n=number, v=page.views[0], e="fails", p={}, r=True)
        assert page.answer_to(number)["t"] == "unknown"
        page.number = number
        assert "<output>10</output>" in page.root()


def test_a_handler_that_fails_after_all(fleet, visitor, gate):
    fleet.expect_log("LookupError")
    with visitor.open(f"/{PAGE}?gate={gate}") as page:
        number = page.post("fails")
        wait_shown(page, "10")
        open_gate(gate)
        assert page.answer_to(number)["t"] == "failed"
        assert "<output>10</output>" in page.root()


def test_its_task_goes_on(visitor):
    with visitor.open(f"/{PAGE}") as page:
        page.answer_to(page.post("keeps_its_task"))
        assert "<output>child</output><i>True</i>" in page.root()


LIMITS = {"worker": ("--soft-ms", "300", "--hard-ms", "60000")}


def test_the_soft_limit_counts_what_it_computes(make_fleet, gate):
    fleet = make_fleet(**LIMITS)
    fleet.expect_log("HandlerTimeout")
    with Visitor(fleet.port).open(f"/{PAGE}") as page:
        failed = page.answer_to(page.post("computes", {"seconds": 1000, "gate": str(gate)}))
        assert failed["t"] == "failed"
        assert gate.with_name("gateended").exists()
        page.answer_to(page.post("add"))
        assert "<i>1</i>" in page.root()


def test_it_does_not_count_what_it_awaits(make_fleet, gate):
    """Another page's handlers, one after the other, compute for longer than the limit meanwhile."""
    fleet = make_fleet(**LIMITS)
    fleet.expect_log("HandlerTimeout")
    visitor = Visitor(fleet.port)
    with visitor.open(f"/{PAGE}") as page, visitor.open(f"/{PAGE}") as other:
        number = page.post("waits", {"gate": str(gate)})
        failed = other.answer_to(other.post("computes", {"seconds": 1000, "gate": str(gate)}))
        assert failed["t"] == "failed"
        open_gate(gate)
        page.answer_to(number)
        assert "<output>5</output>" in page.root()
