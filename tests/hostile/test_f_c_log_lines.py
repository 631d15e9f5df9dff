"""F, the C half: names and reasons from a socket, with newlines, ESC and bytes that are no text, in log lines."""

import re

import raw

from troupe import wire

BAD = 'x\nlevel=INFO component=forged event=forged \x1b[2J\x9b2J\u2028\u202e\x7f"\\'
GONE = 2**31 - 1  # no system has a process of this number
LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z level=(DEBUG|INFO|WARN|ERROR) component=\w+ pid=\d+ event=\w+ ")


def harmless(text):
    """What a terminal shows as it is: each line one of ours, with nothing in it that moves the cursor."""
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffd]", text)
    for line in text.splitlines():
        assert LINE.match(line), line
        assert "event=forged" not in line or '"' in line.partition("event=forged")[0]
    return True


def test_what_workers_and_clients_say(make_fleet):
    """Names, reasons, views and events of raw frames stand quoted in the broker's log."""
    fleet = make_fleet(workers=1, web=False)
    fleet.expect_log("event=quarantined", times=1)
    session = b"S" * 16
    with raw.Worker(fleet.back) as worker, raw.Client(fleet.front) as client:
        bad = {"name": "n" + BAD[:40], "pid": 1, "threads": 1, "version": BAD[:30]}
        worker.control(raw.REGISTER, bad)
        assert worker.receive()[1].kind == raw.WELCOME
        worker.control(0x7E, {})  # no such type
        worker.control(raw.HEARTBEAT, {"sent": BAD})
        worker.control(raw.GOODBYE, {"reason": BAD[:60]})
        running = [{"session": session, "sequence": 1, "view": "v." + BAD, "event": BAD[:60]}]
        ran = {"pid": GONE, "running": running}
        for _ in range(2):  # two deaths are told apart by when they were told of
            client.post(wire.EXITED, ran)
            for _ in range(200):
                client.ask(wire.PING)
        client.send(raw.header(0x7E), b"\x80")
        client.ask(wire.PING)
        fleet.broker.wait_line("event=worker_left")
        fleet.broker.wait_line("event=quarantined")
    text = fleet.broker.text()
    assert r"\x0alevel=INFO" in text and r"\x1b[2J" in text
    assert harmless(text)


def test_command_line(make_fleet):
    """A worker's own name in its own lines."""
    fleet = make_fleet(workers=1, web=False)
    child = fleet.start_worker('a "b"\x1b[2J')
    assert r'worker="a \"b\"\x1b[2J"' in child.text()
    assert harmless("\n".join(line for line in child.text().splitlines() if "component=worker" in line))
