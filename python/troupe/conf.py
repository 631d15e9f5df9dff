"""The project's TROUPE setting, with defaults.

TROUPE = {
    "BROKER": "ipc:///run/user/1000/troupe/front",   # or tcp://127.0.0.1:7600, or inproc://
    "KEY": None,                 # for tcp://: this process's secret key file (`troupe keygen`)
    "SERVER_KEY": None,          # and the broker's public one
    "STRICT_EVENTS": True,       # from a browser, only @event_handler methods run
    "VIEW_MODULES": [],          # modules that views may come from, besides those of installed apps
    "REQUEST_ATTRS": [],         # attributes that middleware sets on the request and views read
    "TOKEN_MAX_AGE": 86400,      # seconds that a page may stay open without its socket
    "ORIGINS": [],               # origins besides ALLOWED_HOSTS for sockets, such as "https://example.com"
    "MOUNT_TIMEOUT": 10,         # seconds that a page waits for its view
    "HARD_LIMIT": None,          # seconds that a handler may take, if the fleet has another --hard-ms than 15 s
    "SOCKET_PATH": "/ws/troupe/",
    "EVENT_RATE": 100,           # events a second that a page may send for long; None: no limit
    "EVENT_BURST": 20,           # and so many at once
    "TRUSTED_PROXIES": [],       # addresses and networks whose X-Forwarded-For is believed; []: no limits by address
    "ADDRESS_RATE": 1000,        # events a second of all pages of an address
    "ADDRESS_SOCKETS": 50,       # sockets a second that an address may open
    "MINIFIED": None,            # pages load the browser's side as one small file; None: where it is, unless DEBUG
}
"""

import functools
import os

from django.conf import settings
from django.core.signals import setting_changed


def default_broker():
    """TROUPE_FRONT of the environment, else the address that `troupe up` binds for this user (fleet/home.c)."""
    front = os.environ.get("TROUPE_FRONT", "").split(",")[0]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not runtime.startswith("/"):
        runtime = f"/run/user/{os.getuid()}"
    state = os.environ.get("TROUPE_STATE") or f"{runtime}/troupe"
    return front or f"ipc://{os.path.abspath(state)}/front"


DEFAULTS = {
    "BROKER": default_broker,
    "KEY": lambda: os.environ.get("TROUPE_KEY"),
    "SERVER_KEY": lambda: os.environ.get("TROUPE_SERVER_KEY"),
    "STRICT_EVENTS": True,
    "VIEW_MODULES": [],
    "REQUEST_ATTRS": [],
    "TOKEN_MAX_AGE": 86400,
    "ORIGINS": [],
    "MOUNT_TIMEOUT": 10,
    "HARD_LIMIT": None,
    "SOCKET_PATH": "/ws/troupe/",
    "EVENT_RATE": 100,
    "EVENT_BURST": 20,
    "TRUSTED_PROXIES": [],
    "ADDRESS_RATE": 1000,
    "ADDRESS_SOCKETS": 50,
    "MINIFIED": None,
}


@functools.cache
def get(name):
    """One value of the TROUPE setting, or its default."""
    default = DEFAULTS[name]
    given = getattr(settings, "TROUPE", None) or {}
    return given.get(name, default() if callable(default) else default)


def is_inproc():
    """Whether actors run in this process, without a broker."""
    return get("BROKER").startswith("inproc:")


def _forget(*, setting, **_):
    if setting == "TROUPE":
        get.cache_clear()


setting_changed.connect(_forget, dispatch_uid="troupe.conf")
