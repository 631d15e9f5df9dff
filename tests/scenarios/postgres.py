"""A PostgreSQL of a test's own: a cluster in a private folder, on a Unix socket, from Debian's package."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from fleet import wait_until

USER = "troupe"


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


@contextlib.contextmanager
def cluster():
    """Its folder, which is also the HOST of Django's DATABASES; the database is `postgres`. Stopped at the end."""
    folder, owner = Path(tempfile.mkdtemp(prefix="troupe-pg-", dir="/tmp")), _owner()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    try:
        command = [programs() / "initdb", "-D", folder / "data", "-A", "trust", "-U", USER, "--no-sync"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, **owner)
        command = [programs() / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses="]
        command += ["-c", "fsync=off"]
        with open(folder / "log", "ab") as log:
            server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **owner)
        try:
            wait_until(lambda: "ready to accept connections" in (folder / "log").read_text(), "PostgreSQL to start")
            yield folder
        finally:
            server.send_signal(2)  # SIGINT: fast shutdown
            server.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
