"""What a session costs in a worker's memory, beyond the user's own objects.

A worker's resident memory is read before and after so many sessions were mounted, joined by a socket, and had an event
each: counters, and tables of 1,000 rows. What the same view objects take in a plain Python process is subtracted.
"""

import gc
import os
import secrets
import subprocess
import time

from harness import PROJECT, PYTHON, Fleet, Processes, Report, environment, say

TIMEOUT_MS = 60_000
PAGE = os.sysconf("SC_PAGE_SIZE")
REQUEST = {
    "method": "GET",
    "path": "/table/1000/numbers/",
    "query": "",
    "scheme": "https",
    "headers": {
        "host": "shop.example.com",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
        "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "accept-language": "de-AT,de;q=0.9,en;q=0.8",
        "accept-encoding": "gzip, deflate, br, zstd",
        "referer": "https://shop.example.com/",
    },
    "cookies": {"sessionid": "x" * 32, "csrftoken": "y" * 32},
    "remote_addr": "192.0.2.7",
    "server": ["shop.example.com", 443],
    "user": None,
    "session_key": "x" * 32,
    "csrf": "y" * 32,
    "language": "de",
    "time_zone": None,
    "attrs": {},
}
KINDS = {  # path, parameters of mount, event, its parameters
    "counter": ("benched.views.Light", {}, "increment", {}),
    "table1000": ("benched.tables.TableView", {"count": 1000}, "change", {"name": "one_cell"}),
}


class Client:
    """A client of the broker's front."""

    def __init__(self, front):
        import zmq

        from troupe import wire

        self.wire, self.context = wire, zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(front)

    def ask(self, kind, session, body, flags, epoch=0, number=0):
        """(epoch, fields) of the answer; a fleet that is busy is asked again when it wants to be. RuntimeError: none
        came, or a refusal.
        """
        wire = self.wire
        header = wire.pack_header(kind, flags, session, epoch, number or wire.REQUEST_BIT | 1, TIMEOUT_MS)
        until = time.monotonic() + TIMEOUT_MS / 1000
        while True:
            self.socket.send_multipart([header, wire.pack_body(body)])
            if not self.socket.poll(TIMEOUT_MS):
                raise RuntimeError("the fleet does not answer")
            head, data = self.socket.recv_multipart()
            _, reply, _, _, epoch, _, _ = wire.unpack_header(head)
            fields = wire.unpack_body(data)
            if reply in (wire.MOUNTED, wire.JOINED, wire.DONE):
                return epoch, fields
            if fields.get("reason") != "busy" or time.monotonic() > until:
                raise RuntimeError(f"a request was answered {fields}")
            time.sleep(fields.get("retry_ms", 100) / 1000)

    def open(self, path, params, event, more):
        """A session with one view: mounted by a page, joined by its socket, one event."""
        wire, session, view = self.wire, secrets.token_bytes(16), secrets.token_bytes(16)
        body = {"path": path, "params": params, "view": view, "request": REQUEST}
        _, mounted = self.ask(wire.MOUNT, session, body, wire.PAGE | wire.UNADOPTED)
        views = [{"view": view, "version": mounted["version"], "path": path, "params": params}]
        epoch, _ = self.ask(wire.JOIN, session, {"generation": 0, "views": views, "request": REQUEST}, wire.BROWSER)
        self.ask(wire.EVENT, session, {"view": view, "name": event, "params": more}, wire.BROWSER, epoch, 1)

    def close(self):
        """Lets go of the socket."""
        self.context.destroy(linger=0)


def resident(pid="self"):
    """Bytes of resident memory."""
    with open(f"/proc/{pid}/statm") as line:
        return int(line.read().split()[1]) * PAGE


def sessions(processes, kind, count):
    """Bytes that each of so many sessions adds to a worker."""
    warm_up = max(10, count // 20)
    fleet = Fleet(processes, workers=1, options=["--max-sessions", 2 * (count + warm_up)])
    client = Client(fleet.front)
    try:
        for _ in range(warm_up):
            client.open(*KINDS[kind])
        before = resident(fleet.pids[0])
        for _ in range(count):
            client.open(*KINDS[kind])
        return (resident(fleet.pids[0]) - before) / count
    finally:
        client.close()


def objects(kind, count):
    """Bytes that each of so many view objects takes in this process, and nothing else."""
    from importlib import import_module

    path, params, event, more = KINDS[kind]
    module, _, name = path.rpartition(".")
    cls = getattr(import_module(module), name)

    def make():
        view = cls()
        view.mount(None, **params)
        getattr(view, event)(**more)
        return view

    kept = [make() for _ in range(max(10, count // 20))]
    gc.collect()
    before = resident()
    kept += [make() for _ in range(count)]
    gc.collect()
    return (resident() - before) / count


def _objects_elsewhere(kind, count):
    """The same in a process of its own."""
    script = "import sys, django; django.setup(); import memory; print(memory.objects(sys.argv[1], int(sys.argv[2])))"
    env = environment()
    env["PYTHONPATH"] += f":{os.path.dirname(__file__)}"
    command = [PYTHON, "-c", script, kind, str(count)]
    done = subprocess.run(command, env=env, cwd=PROJECT, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return float(done.stdout)


def run(quick):
    """The whole benchmark; a Report."""
    report = Report("memory")
    plan = {"counter": 10_000, "table1000": 200}
    for kind, count in plan.items():
        count = count // 5 if quick else count
        own = _objects_elsewhere(kind, count)
        with Processes() as processes:
            all_of_it = sessions(processes, kind, count)
        say(f"{kind}: {count} sessions, {all_of_it:.0f} bytes each, of which {own:.0f} are the user's objects")
        report.add(f"{kind}_bytes", all_of_it - own)
        report.add(f"{kind}_own_bytes", own)
        report.add(f"{kind}_sessions", count)
    report.note("resident memory of the worker, a session; *_own_bytes: the same views in a plain Python process")
    return report
