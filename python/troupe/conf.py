"""The project's TROUPE setting, with defaults.

TROUPE = {
    "BROKER": "ipc:///run/user/1000/troupe/front",   # or tcp://127.0.0.1:7600, or inproc://
    "KEY": None,                 # for tcp://: this process's secret key file (`troupe keygen`)
    "SERVER_KEY": None,          # and the broker's public one
    "STRICT_EVENTS": True,       # from a browser, only @event_handler methods run
    "VIEW_MODULES": [],          # modules that views may come from, besides those of installed apps
    "REQUEST_ATTRS": [],         # attributes that middleware sets on the request and views read
    "OBSERVERS": [],             # modules that wrap the rendering of templates and change nothing of it (tracers)
    "TOKEN_MAX_AGE": 86400,      # seconds for which a page may be open without its socket
    "ORIGINS": [],               # origins besides ALLOWED_HOSTS for sockets, such as "https://example.com"
    "MOUNT_TIMEOUT": 10,         # seconds that a page waits for its view
    "HARD_LIMIT": None,          # the fleet's --hard-ms in seconds, if it is not the default of 15 s
    "SOCKET_PATH": "/ws/troupe/",
    "EVENT_RATE": 100,           # sustained events per second of a page; None: no limit
    "EVENT_BURST": 20,           # and at once
    "JOIN_RATE": 1,              # sustained joins per second of a socket; None: no limit
    "JOIN_BURST": 8,             # and at once
    "TOKEN_SESSIONS": 4,         # sessions that one page load may start at once in place of a spent one
    "TRUSTED_PROXIES": [],       # addresses and networks whose X-Forwarded-For is believed; []: no limits by address
    "ADDRESS_RATE": 1000,        # events per second of all pages of an address
    "ADDRESS_SOCKETS": 50,       # sockets per second that an address may open
    "ADDRESS_OPEN_SOCKETS": 1000,  # sockets that an address may have open
    "ADDRESS_JOINS": 50,         # joins per second of all pages of an address
    "USER_CHECK_SECONDS": 1,     # maximum age of the last user check when an event arrives; None: check on join only
    "ERROR_MAIL_SECONDS": 600,   # a worker mails the same error of the same handler to ADMINS once in so many seconds
    "MINIFIED": None,            # pages load the minified client; None: if it was built and DEBUG is off
}

A value that cannot be used is an error of `manage.py check`. A process that runs without that check uses the default
and logs `event=setting_invalid` once; without a usable BROKER no request goes out.
"""

import functools
import logging
import os
import reprlib
import sys
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NamedTuple
from urllib.parse import urlparse

from django.conf import UserSettingsHolder, settings
from django.core.signals import setting_changed

from . import state_directory
from .logs import quoted, word

logger = logging.getLogger("troupe")

DAY = 86_400
UNIX_PEER = "unix"  # in TRUSTED_PROXIES: a peer that connects over a Unix socket
IN_PROCESS = "inproc://"
# Used in place of an invalid BROKER. The default could be a broker that this project was never meant to use.
NO_BROKER = "invalid://TROUPE['BROKER']"


class Setting(NamedTuple):
    """One key of TROUPE. default: a value, or a function that returns it. accepts(value): whether it can be used.
    wanted: what it must be, for error messages. hint: an example.
    """

    default: Any
    accepts: Callable[[Any], bool]
    wanted: str
    hint: str | None = None


def default_broker() -> str:
    """TROUPE_FRONT of the environment, or the address that this project's fleet binds in its state directory."""
    front = os.environ.get("TROUPE_FRONT", "").split(",")[0]
    if front:
        return front
    try:
        return f"ipc://{state_directory.find()}/front"
    except state_directory.NotPrivateError as error:
        logger.error("event=state_directory_refused message=%s", quoted(str(error)))
        return NO_BROKER


def parse_proxy(text: str) -> IPv4Network | IPv6Network | str:
    """The network that an entry of TRUSTED_PROXIES stands for, or UNIX_PEER. ValueError: it is neither."""
    return UNIX_PEER if text == UNIX_PEER else ip_network(text, strict=False)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("ipc://", "tcp://", "inproc:")) and value.isprintable()


def _is_file(value: Any) -> bool:
    return value is None or isinstance(value, (str, os.PathLike))


def _is_socket_path(value: Any) -> bool:
    plain = isinstance(value, str) and value.isprintable() and not set(value) & set(" <>?#\\\"'")
    return plain and value.startswith("/") and not value.startswith("//")


def _is_module(value: Any) -> bool:
    return isinstance(value, str) and all(part.isidentifier() for part in value.split("."))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _is_origin(value: Any) -> bool:
    if not isinstance(value, str) or not value or not value.isprintable():
        return False
    try:
        return urlparse(value).port is None or True
    except ValueError:
        return False


def _is_network(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(parse_proxy(value))
    except ValueError:
        return False


def _list_of(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (list, tuple)) and all(accepts(item) for item in value)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_bool_or_none(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _number(default: float | None, most: float, optional: bool = False, least: float = 0.001) -> Setting:
    """A number within bounds that arithmetic and the protocol's fields allow. optional: None is accepted, too."""

    def accepts(value: Any) -> bool:
        if value is None:
            return optional
        return isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most

    return Setting(default, accepts, f"a number from {least} to {most}" + (" or None" if optional else ""))


SETTINGS: dict[str, Setting] = {
    "BROKER": Setting(
        default_broker,
        _is_address,
        "an address",
        "For example ipc:///run/user/1000/troupe/front, tcp://127.0.0.1:7600, or inproc://.",
    ),
    "KEY": Setting(lambda: os.environ.get("TROUPE_KEY"), _is_file, "the path of a file or None"),
    "SERVER_KEY": Setting(lambda: os.environ.get("TROUPE_SERVER_KEY"), _is_file, "the path of a file or None"),
    "STRICT_EVENTS": Setting(True, _is_bool, "True or False"),
    "VIEW_MODULES": Setting([], _list_of(_is_module), "a list of dotted module names"),
    "REQUEST_ATTRS": Setting([], _list_of(_is_name), "a list of attribute names"),
    "OBSERVERS": Setting([], _list_of(_is_module), "a list of dotted module names"),
    "TOKEN_MAX_AGE": _number(DAY, 3_660 * DAY),
    "ORIGINS": Setting([], _list_of(_is_origin), "a list of origins", 'For example ["https://example.com"].'),
    "MOUNT_TIMEOUT": _number(10, DAY),
    "HARD_LIMIT": _number(None, DAY, optional=True),
    "SOCKET_PATH": Setting(
        "/ws/troupe/", _is_socket_path, "a path that starts with one slash", 'For example "/ws/troupe/".'
    ),
    "EVENT_RATE": _number(100, 10**9, optional=True),
    "EVENT_BURST": _number(20, 10**9),
    "JOIN_RATE": _number(1, 10**9, optional=True),
    "JOIN_BURST": _number(8, 10**9),
    "TOKEN_SESSIONS": _number(4, 10**9, optional=True),
    "TRUSTED_PROXIES": Setting(
        [],
        _list_of(_is_network),
        'a list of addresses, networks or "unix"',
        'For example "10.0.0.7", "10.0.0.0/8", "fd00::/8", or "unix".',
    ),
    "ADDRESS_RATE": _number(1000, 10**9, optional=True),
    "ADDRESS_SOCKETS": _number(50, 10**9, optional=True),
    "ADDRESS_OPEN_SOCKETS": _number(1000, 10**9, optional=True),
    "ADDRESS_JOINS": _number(50, 10**9, optional=True),
    "USER_CHECK_SECONDS": _number(1, DAY, optional=True, least=0),
    "ERROR_MAIL_SECONDS": _number(600, 366 * DAY, least=0),
    "MINIFIED": Setting(None, _is_bool_or_none, "True, False or None"),
}


def given() -> Any:
    """The project's TROUPE setting as it stands: a dict, unless the project made a mistake."""
    value = getattr(settings, "TROUPE", None)
    return {} if value is None else value


def problem(name: str) -> str | None:
    """What is wrong with the project's value of a key, as a sentence. None: it can be used, or is missing."""
    values = given()
    if not isinstance(values, dict):
        return f"TROUPE must be a dict, not {_shown(values)}."
    if name not in values or SETTINGS[name].accepts(values[name]):
        return None
    return f"TROUPE[{name!r}] must be {SETTINGS[name].wanted}, not {_shown(values[name])}."


def get(name: str) -> Any:
    """The value of a key of TROUPE, or its default. Logs a value that cannot be used, once.

    BROKER is inproc:// in a test run, unless the test itself names another one: tests must not reach a fleet that
    happens to run, with its own database.
    """
    if name == "BROKER" and _is_test_run() and not _is_broker_overridden():
        return IN_PROCESS
    return _configured(name)


def _is_test_run() -> bool:
    """Whether Django's test runner, or pytest-django, has set up its environment."""
    utils: Any = sys.modules.get("django.test.utils")
    return utils is not None and hasattr(utils._TestState, "saved_data")  # as setup_test_environment() asks


def _is_broker_overridden() -> bool:
    """Whether override_settings() gives another broker than the project's, which {**settings.TROUPE} copies."""
    holder, given = settings._wrapped, None
    while isinstance(holder, UserSettingsHolder):
        if given is None and "TROUPE" in vars(holder):
            given = vars(holder)["TROUPE"]
        holder = holder.default_settings
    if not isinstance(given, dict):
        return given is not None
    own = getattr(holder, "TROUPE", None)
    if "BROKER" not in given:
        return False
    return not isinstance(own, dict) or given["BROKER"] != own.get("BROKER")


@functools.cache
def _configured(name: str) -> Any:
    trouble = problem(name)
    if trouble:
        logger.error("event=setting_invalid name=%s message=%s", word(name), quoted(trouble))
        if name == "BROKER":
            return NO_BROKER
    elif name in given():
        return given()[name]
    default = SETTINGS[name].default
    return default() if callable(default) else default


def is_inproc() -> bool:
    """Whether actors run in this process, without a broker."""
    return get("BROKER").startswith("inproc:")


def _shown(value: Any) -> str:
    try:
        return reprlib.repr(value)
    except Exception:  # an int of too many digits, or a repr() of the project's own
        return f"this {type(value).__name__}"


def _clear(*, setting: str, **_: object) -> None:
    if setting == "TROUPE":
        _configured.cache_clear()


setting_changed.connect(_clear, dispatch_uid="troupe.conf")
