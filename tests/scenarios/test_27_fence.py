"""A worker that was declared dead, and lives: it begins nothing of sessions that are others' by now."""

import re
import signal

from browser import Visitor
from fleet import wait_until
from test_18_survival import history, rejoin
from test_26_moves import leave

QUICK = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000"]


def test_a_worker_that_stood_still(make_fleet, tmp_path):
    fleet = make_fleet(broker=[*QUICK, "--keep", str(tmp_path / "sessions")], workers=1)
    gate = tmp_path / "gate"
    with Visitor(fleet.port).open("/history/") as page:
        page.event("append", {"number": 1})
        still = fleet.workers["w1"]
        still.signal(signal.SIGSTOP)
        page.post("append_then_hold", {"number": 2, "gate": str(gate)})  # in its socket, not begun
        fleet.start_worker("w2")
        fleet.expect_log("event=worker_lost", times=1, name="broker")
        wait_until(lambda: "event=worker_lost" in fleet.broker.text(), "the broker to notice")
        rejoin(page)
        page.event("append", {"number": 3})
        fleet.expect_log("event=fenced", name="w1")
        fleet.expect_log("event=unfenced", name="w1")
        fleet.expect_log("event=forgotten_by_broker", name="w1")
        still.signal(signal.SIGCONT)
        still.wait_line("event=forgotten_by_broker")
        still.wait_line("event=unfenced")
        page.event("append", {"number": 4})
        assert history(page) == ["1", "3", "4"]
        assert not (tmp_path / "gate.reached").exists(), "it was run by a worker that had lost the session"


def test_a_number_for_others_to_fence_by(make_fleet):
    """The same as long as one worker owns the session, and a higher one with the next."""
    fleet = make_fleet(broker=QUICK, workers=1)

    def token(html):
        return int(re.search(r"(\d+)", html.replace("<p dj-root>", ""))[1])

    with Visitor(fleet.port).open("/token/") as page:
        first = token(page.root())
        page.event("look")
        page.event("look_async")
        assert token(page.root()) == first > 0
        fleet.start_worker("w2")
        leave(fleet, "w1")
        page.event("look_async")
        second = token(page.root())
        page.event("look")
        assert token(page.root()) == second > first
