"""A PostgreSQL of a test's own: a cluster in a private folder, on a Unix socket, from Debian's package."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from fleet import wait_until

USER = "troupe"
STOP_SECONDS = 60


def programs():
    """The folder with initdb and postgres of the newest version that is installed; None: there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def _owner():
    """PostgreSQL refuses to run as root: then it is somebody else's. Options of subprocess."""
    if os.getuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Cluster:
    """folder: HOST of Django's DATABASES; the database is `postgres`."""

    def __init__(self, folder):
        self.folder = folder
        self._server = None

    def start(self):
        """Starts the server, and waits until it accepts connections."""
        command = [programs() / "postgres", "-D", self.folder / "data", "-k", self.folder]
        command += ["-c", "listen_addresses=", "-c", "fsync=off"]
        with open(self.folder / "log", "wb") as log:
            self._server = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, **_owner())
        ready = "ready to accept connections"
        wait_until(lambda: ready in (self.folder / "log").read_text(), "PostgreSQL to start")

    def stop(self):
        """Ends the server and all of its connections."""
        if self._server:
            self._server.send_signal(signal.SIGINT)  # fast shutdown
            self._server.wait(STOP_SECONDS)

    def connect(self, database="postgres", **options):
        """A psycopg connection of the test's own, in autocommit. A context manager, which closes it."""
        import psycopg

        options.setdefault("autocommit", True)
        return psycopg.connect(host=str(self.folder), user=USER, dbname=database, **options)


@contextlib.contextmanager
def cluster():
    """A running Cluster. Stopped and removed at the end."""
    folder, owner = Path(tempfile.mkdtemp(prefix="troupe-pg-", dir="/tmp")), _owner()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    made = Cluster(folder)
    try:
        command = [programs() / "initdb", "-D", folder / "data", "-A", "trust", "-U", USER, "--no-sync"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, **owner)
        try:
            made.start()
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_DATABASES = """
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "{user}",
        "HOST": "{host}",
        "CONN_MAX_AGE": {age},
        "CONN_HEALTH_CHECKS": {checked},
    }}
}}
"""


def settings(server, age=0, checked=False):
    """The lines of a settings.py that uses a cluster."""
    return _DATABASES.format(user=USER, host=server.folder, age=age, checked=checked)
