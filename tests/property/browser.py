"""The browser's side: the real client, in jsdom (a node process that is fed lines) or in Chromium."""

import functools
import http.server
import json
import os
import subprocess
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENT = Path(os.environ.get("TROUPE_CLIENT") or HERE.parent.parent / "python" / "troupe" / "static" / "troupe")
PAGE = b'<!doctype html><meta charset=utf-8><body><script type=module src="/js/chromium.js"></script></body>'
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-dev-shm-usage".split()


class Jsdom:
    """A context manager; it ends with it."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["node", str(HERE / "js" / "node.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.process.stdin.close()
        self.process.wait(120)
        self.process.stdout.close()

    def order(self, **order):
        """What js/node.js answers."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the browser's side ended with {self.process.wait()}")
        return json.loads(line)


class _Modules(http.server.BaseHTTPRequestHandler):
    """The client's modules, ours, and the page that loads them."""

    def do_GET(self):
        """http.server's."""
        folder = {"client": CLIENT, "js": HERE / "js"}.get(self.path.split("/")[1])
        data = (folder / Path(self.path).name).read_bytes() if folder else PAGE
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if folder else "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        """Nothing."""


class Chromium:
    """The same in a real browser. profile: a folder for it to write to."""

    def __init__(self, profile):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        from selenium.webdriver.support.ui import WebDriverWait

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Modules)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.get(f"http://127.0.0.1:{self.server.server_port}/")
        ready = functools.partial(self.driver.execute_script, "return Boolean(window.order)")
        WebDriverWait(self.driver, 30).until(lambda _: ready())

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.driver.quit()
        self.server.shutdown()
        self.server.server_close()

    def order(self, **order):
        """What js/chromium.js answers."""
        text = json.dumps(order)  # with escapes: the driver's own JSON has no place for half a pair
        return json.loads(self.driver.execute_script("return JSON.stringify(order(JSON.parse(arguments[0])))", text))
