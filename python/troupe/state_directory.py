"""Where this project's fleet keeps its sockets, if nothing else was said (fleet/state_directory.c)."""

import os
import re
from pathlib import Path

from . import project

_MAX_NAME = 24  # characters; the path of a socket is limited to 107 bytes (unix(7))
_KEY = 8  # hex digits of a fingerprint


class NotPrivateError(Exception):
    """The directory belongs to another user, who could listen in it. The text says which."""


def default() -> str:
    """The directory of the project's own: a name that another project of this user does not have.

    It contains the oldest of the project's secret keys, so that it stays the same while a key is replaced.
    """
    own = project.identity()
    name = re.sub(r"[^A-Za-z0-9_-]", "_", own["name"].partition(".")[0])[:_MAX_NAME] or "project"
    key = f"-{own['keys'][-1][:_KEY]}" if own["keys"] else ""
    return f"{shared()}/{name}{key}"


def shared() -> str:
    """The directory that `troupe up` takes without --state and without manage.py, whatever its project is.
    NotPrivateError.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        return f"{runtime}/troupe"
    runtime = f"/run/user/{os.getuid()}"
    if os.access(runtime, os.W_OK):
        return f"{runtime}/troupe"
    return _private(f"/tmp/troupe-{os.getuid()}")


def find() -> str:
    """The directory where a client looks for its fleet: TROUPE_STATE, else the project's own; the shared one if only
    that has a fleet. NotPrivateError.
    """
    given = os.environ.get("TROUPE_STATE")
    if given:
        return os.path.abspath(given)
    own, other = default(), shared()
    return other if Path(other, "front").exists() and not Path(own, "front").exists() else own


def _private(path: str) -> str:
    """A directory in /tmp, made now if need be: nobody else can make it then, nor take it away."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        found = os.lstat(path)
        if found.st_uid != os.getuid() or found.st_mode & 0o170077 != 0o040000:
            raise NotPrivateError(
                f"{path} belongs to another user, or others may use it: remove it, or set TROUPE_STATE"
            ) from None
    return path
