"""A web server with the table's page, and a page's socket: for the benchmarks that look at what the browser gets.

The server is one uvicorn process with the sessions in it (inproc://); djust has one of its own.
"""

import http.client
import json
import re
import socket

from harness import BUILD, PROJECT, PYTHON

PATIENCE = 60  # s


def free_port():
    """A TCP port on the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(processes, name, python=PYTHON, package="benched", **env):
    """Starts uvicorn on a package's asgi.py; its port."""
    port = free_port()
    command = [python, "-m", "uvicorn", f"{package}.asgi:application", "--port", str(port), "--lifespan", "off"]
    env = {"DJANGO_SETTINGS_MODULE": f"{package}.settings", "BENCH_BUILD": str(BUILD), **env}
    processes.start(f"uvicorn of {name}", command, ready="Uvicorn running on", env=env)
    return port


def serve_troupe(processes, **env):
    """The port of a server with Troupe's sessions in it."""
    return serve(processes, "troupe", TROUPE_FRONT="inproc://", **env)


def serve_djust(processes, python):
    """The port of djust's server."""
    return serve(processes, "djust", python, "benched_djust", PYTHONPATH=str(PROJECT))


def get(port, path):
    """The text of a page. RuntimeError: it is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {text[:500]}")
    return text


class _Page:
    def __init__(self, port, path):
        from websockets.sync.client import connect

        # No compression: what is counted is what the protocol says.
        options = {"origin": f"http://127.0.0.1:{port}", "compression": None, "max_size": None, "proxy": None}
        self.socket = connect(f"ws://127.0.0.1:{port}{path}", **options)

    def ask(self, **frame):
        """Sends a frame; the text that is received next."""
        self.socket.send(json.dumps(frame))
        return self.socket.recv(PATIENCE)

    def close(self):
        """Closes the socket."""
        self.socket.close()


class TroupePage(_Page):
    """A page with the table. `html`: as HTTP gave it; `joined`: the text of the frame that answered its join."""

    def __init__(self, port, count, keys):
        self.html = get(port, f"/table/{count}/{keys}/")
        super().__init__(port, "/ws/troupe/")
        token = re.search(r'data-troupe="([^"]+)"', self.html)[1]
        self.joined = self.ask(t="join", views=[{"token": token}])
        joined = json.loads(self.joined)
        self.view, self.number = joined["views"][0]["v"], joined["n"]

    def change(self, name):
        """The text of the frame that a change leads to."""
        self.number += 1
        text = self.ask(t="event", n=self.number, v=self.view, e="change", p={"name": name})
        frame = json.loads(text)
        if "d" not in frame:
            raise RuntimeError(f"{name} was answered {text[:500]}")
        return text

    def whole(self):
        """The text of a frame with the whole root."""
        return self.ask(t="refresh", v=self.view)


class DjustPage(_Page):
    """The same in djust."""

    def __init__(self, port, count, keys):
        super().__init__(port, "/ws/live/")
        mount = {"view": "benched_djust.tables.TableView", "params": {"count": count, "keys": keys}, "url": "/table/"}
        text = self.ask(type="mount", **mount)
        while json.loads(text)["type"] != "mount":
            if json.loads(text)["type"] == "error":
                raise RuntimeError(f"djust's mount was answered {text[:500]}")
            text = self.socket.recv(PATIENCE)
        self.joined = text

    def change(self, name):
        """The text of the frame that a change leads to."""
        text = self.ask(type="event", event="change", params={"name": name})
        while (kind := json.loads(text)["type"]) not in ("patch", "html_update", "noop"):
            if kind in ("error", "rate_limit_exceeded"):
                raise RuntimeError(f"djust answered {name} with {text[:500]}")
            text = self.socket.recv(PATIENCE)
        return text
