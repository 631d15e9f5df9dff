"""A fleet whose worker is killed between a handler and its page."""

import signal

QUICK = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000"]
LOST = r"level=WARN .*event=worker_lost"


def replace_worker(fleet, before="w1", after="w2"):
    """Ends a worker as a machine would that runs out of memory, and starts another."""
    fleet.expect_log(f'{LOST} worker="{before}"', times=1, name="broker")
    fleet.workers[before].signal(signal.SIGKILL)
    fleet.workers[before].wait_exit()
    fleet.start_worker(after)


def repeat(page, number, name, params=None):
    """The page joins again, and sends an event whose answer it never got; the frame that answers."""
    while page.reconnect()["t"] != "joined":
        pass
    page.send(t="event", n=number, v=page.views[0], e=name, p=params or {}, r=True)
    return page.answer_to(number)
