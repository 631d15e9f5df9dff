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
    return f"{shared()}/{own_name()}"


def own_name() -> str:
    """The last part of that."""
    own = project.identity()
    name = re.sub(r"[^A-Za-z0-9_-]", "_", own["name"].partition(".")[0])[:_MAX_NAME] or "project"
    key = f"-{own['keys'][-1][:_KEY]}" if own["keys"] else ""
    return f"{name}{key}"


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


def explain_missing(front: str) -> str:
    """A sentence after a full stop, if nobody answers at that address, and a fleet of nearly this project is where
    it would be without a setting, or if this user may not go there. "": neither.
    """
    closed = _closed(front)
    if closed:
        return f". {closed} belongs to another user, whose sockets this one may not use"
    try:
        own, folder = Path(default()), Path(shared())
        if front != f"ipc://{own}/front":
            return ""
        name, _, key = own.name.rpartition("-")
        for found in sorted(folder.glob("*/front")):
            other_name, _, other_key = found.parent.name.rpartition("-")
            if found.parent == own:
                continue
            if other_key == key:
                text = f"A fleet with this SECRET_KEY and other settings ({other_name!r})"
                return f". {text} has its sockets in {found.parent}"
            if other_name == name:
                return (
                    f". A fleet of {name!r} with another SECRET_KEY has its sockets in {found.parent}: perhaps "
                    "each process makes a SECRET_KEY of its own, or reads it from a variable that only one of them has"
                )
    except (OSError, NotPrivateError):
        pass
    return ""


def _closed(front: str) -> Path | None:
    """The first directory on the way to a socket that this user may not enter."""
    folders = Path(front.removeprefix("ipc://")).parents if front.startswith("ipc:///") else ()
    return next((each for each in reversed(folders) if each.is_dir() and not os.access(each, os.X_OK)), None)


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
