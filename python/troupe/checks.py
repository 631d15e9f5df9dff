"""System checks: common mistakes in a project's settings."""

import errno
import sys
from typing import Any

import zmq
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.template import engines
from zmq.utils.monitor import parse_monitor_message

from . import conf, state_directory
from .access_checks import check_access
from .asgi_checks import check_asgi, check_static_origin
from .handler_checks import check_handlers
from .request_checks import check_middleware_hooks, check_remote_user, check_request_attrs
from .template import originals
from .view_checks import check_views
from .web import curve

REACH_MS = 300


def register() -> None:
    """Registers the checks of this module with Django."""
    for check in (
        check_channels,
        check_settings,
        check_secret_key,
        check_middleware,
        check_templates,
        check_transport,
        check_asgi,
        check_views,
        check_handlers,
        check_access,
        check_request_attrs,
        check_remote_user,
        check_middleware_hooks,
    ):
        checks.register(check, "troupe")
    checks.register(check_static_origin, "troupe", deploy=True)


def check_channels(**_: Any) -> list[CheckMessage]:
    """Channels must be installed, and ASGI_APPLICATION be set."""
    messages: list[CheckMessage] = []
    if not apps.is_installed("channels") and "channels" not in sys.modules and not _importable("channels"):
        messages.append(checks.Error("Channels is not installed.", hint="pip install channels", id="troupe.E001"))
    if not getattr(settings, "ASGI_APPLICATION", None):
        hint = (
            'Name a ProtocolTypeRouter that has troupe.routing.websocket_urlpatterns under "websocket", for example '
            '"mysite.asgi.application".'
        )
        text = "ASGI_APPLICATION is not set: no check can tell whether pages' sockets can be opened."
        messages.append(checks.Warning(text, hint=hint, id="troupe.W002"))
    return messages


def check_settings(**_: Any) -> list[CheckMessage]:
    """The names and values of the TROUPE setting."""
    given = conf.given()
    if not isinstance(given, dict):
        return [checks.Error(conf.problem("BROKER"), id="troupe.E004")]
    messages: list[CheckMessage] = []
    for name in given:
        if name not in conf.SETTINGS:
            hint = "The known keys are " + ", ".join(conf.SETTINGS) + "."
            messages.append(checks.Warning(f"TROUPE has an unknown key, {name!r}.", hint=hint, id="troupe.W003"))
        elif conf.problem(name):
            messages.append(checks.Error(conf.problem(name), hint=conf.SETTINGS[name].hint, id="troupe.E004"))
    unused = [name for name in conf.SETTINGS if name.startswith("ADDRESS_") and name in given]
    if unused and not given.get("TRUSTED_PROXIES"):
        hint = "List the proxies whose X-Forwarded-For header can be trusted in TRUSTED_PROXIES."
        text = f"TROUPE[{unused[0]!r}] has no effect while TRUSTED_PROXIES is empty."
        messages.append(checks.Warning(text, hint=hint, id="troupe.W009"))
    return messages


def check_secret_key(**_: Any) -> list[CheckMessage]:
    """Page tokens are signed with the secret key."""
    try:
        if settings.SECRET_KEY:
            return []
    except ImproperlyConfigured:
        pass
    return [checks.Error("SECRET_KEY is empty: page tokens cannot be signed.", id="troupe.E005")]


def check_middleware(**_: Any) -> list[CheckMessage]:
    """The middleware of the installed session and auth apps, and the app that serves the client's scripts."""
    messages: list[CheckMessage] = []
    for app, middleware in (
        ("django.contrib.sessions", "django.contrib.sessions.middleware.SessionMiddleware"),
        ("django.contrib.auth", "django.contrib.auth.middleware.AuthenticationMiddleware"),
    ):
        if apps.is_installed(app) and not any(_is_middleware(path, middleware) for path in settings.MIDDLEWARE):
            hint = f"Add {middleware} to MIDDLEWARE: page tokens are bound to the user who requested the page."
            messages.append(checks.Warning(f"{app} is installed, but not its middleware.", hint=hint, id="troupe.W006"))
    if not apps.is_installed("django.contrib.staticfiles"):
        hint = "Add django.contrib.staticfiles to INSTALLED_APPS, or serve troupe/static yourself."
        messages.append(checks.Warning("Nothing serves troupe/troupe.js.", hint=hint, id="troupe.W007"))
    return messages


def check_templates(**_: Any) -> list[CheckMessage]:
    """Views are rendered by an engine of the project's; one other than Django's sends the whole root again."""
    try:
        kinds = [engine.__class__.__name__ for engine in engines.all()]
    except Exception:  # Django's own checks say what is wrong with TEMPLATES
        return []
    if kinds:
        return _check_rendering()
    hint = "Add django.template.backends.django.DjangoTemplates to TEMPLATES."
    return [checks.Error("There is no template engine to render views.", hint=hint, id="troupe.E010")]


def _check_rendering() -> list[CheckMessage]:
    """What another package does to whole rendered templates, it must be given whole templates for."""
    replaced = originals.what_is_replaced()
    if replaced is None:
        return []
    text = f"{replaced}: live pages are rendered as a whole, and have no slots."
    hint = "It must be so where that changes what is rendered. If it only watches: 'Template packages' in the guide."
    return [checks.Warning(text, hint=hint, id="troupe.W044")]


def check_transport(**_: Any) -> list[CheckMessage]:
    """inproc:// needs the extension module. Other addresses need keys, and, for `check` and `runserver`, a broker."""
    if any(conf.problem(name) for name in ("BROKER", "KEY", "SERVER_KEY")):
        return []  # check_settings says so
    broker = conf.get("BROKER")
    if broker.startswith("inproc:"):
        if _importable("troupe._native"):
            return []
        hint = "Build it: `meson setup build && meson compile -C build`, or `pip install .`."
        return [
            checks.Error("TROUPE['BROKER'] is inproc://, but troupe._native is not built.", hint=hint, id="troupe.E009")
        ]
    try:
        keys = curve.load(broker, conf.get("KEY"), conf.get("SERVER_KEY"))
    except curve.KeysError as error:
        hint = '`troupe keygen` makes keys; the guide says who gets which, under "More than one machine".'
        return [checks.Error(f"{error}.", hint=hint, id="troupe.E011")]
    if len(sys.argv) < 2 or sys.argv[1] not in ("check", "runserver"):
        return []
    trouble = reach(broker, keys)
    if trouble is None:
        return []
    hint = (
        "Start one with `manage.py troupe up`. If it runs with a --state of its own, or as another user, set "
        "TROUPE_STATE to that directory, or TROUPE['BROKER'] to its front address."
    )
    text = trouble or f"No broker answers at {broker}{state_directory.explain_missing(broker)}."
    return [checks.Warning(text, hint=hint, id="troupe.W008")]


def reach(address: str, keys: curve.Keys | None = None, wait_ms: int = REACH_MS) -> str | None:
    """Tries to connect to a broker, and blocks for up to `wait_ms`.

    Returns None if the handshake succeeded, the reason if it was refused, and an empty string if nothing answered.
    """
    context = zmq.Context()
    try:
        socket = context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | curve.FAILURES)
        try:
            if keys:
                keys.apply(socket)
            socket.connect(address)
            if not monitor.poll(wait_ms):
                return ""
            event = parse_monitor_message(monitor.recv_multipart())["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                return None
            refusal = curve.refusal(event, keys)
            return f"{address}: {refusal}." if refusal else ""
        except zmq.ZMQError as error:
            if error.errno == errno.ENAMETOOLONG:
                return f"{address} is too long for the path of a socket, which may have 107 bytes."
            return ""
        finally:
            socket.disable_monitor()
            monitor.close(0)
            socket.close()
    finally:
        context.term()


def _importable(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def _is_middleware(path: str, base: str) -> bool:
    """Whether a MIDDLEWARE entry is that class or derives from it, as far as it can be imported."""
    if path == base:
        return True
    from django.utils.module_loading import import_string

    try:
        middleware = import_string(path)
        return isinstance(middleware, type) and issubclass(middleware, import_string(base))
    except ImportError:
        return False
