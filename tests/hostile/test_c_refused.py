"""An event that was refused never ran: after a restore it is done, not `unknown`; and what may have run is."""

import signal

from browser import Visitor
from fleet import wait_until

QUICK = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000"]


def test_what_a_refused_event_comes_to_after_a_restore(make_fleet, tmp_path):
    fleet = make_fleet(workers=1, broker=[*QUICK, "--keep", str(tmp_path / "sessions")])
    fleet.expect_log(r"level=WARN .*event=worker_lost", name="broker")
    gate = str(tmp_path / "gate")
    with Visitor(fleet.port).open("/history/") as page:
        page.event("append", {"number": 1})
        begun = page.post("append_then_hold", {"number": 2, "gate": gate})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        fleet.workers["w1"].signal(signal.SIGKILL)
        fleet.workers["w1"].wait_exit()
        page.wait_type("lost")
        refused = page.event("append", {"number": 3})
        assert (refused["t"], refused["reason"], "r" in refused) == ("refused", "unknown_session", False)
        fleet.start_worker("w2")
        assert page.join()["restored"] is True
        page.send(t="event", n=begun, v=page.views[0], e="append_then_hold", p={"number": 2, "gate": gate}, r=True)
        assert page.answer_to(begun)["t"] == "unknown"
        page.send(t="event", n=begun + 1, v=page.views[0], e="append", p={"number": 3})
        assert "d" in page.answer_to(begun + 1)
        assert "<p>1 3</p>" in page.root()
