"""System checks of the ways in which a page is shown and never comes to life: no route for its socket, no script, a
server without WebSockets. They call the project's ASGI application, and so run with `manage.py check` and `runserver`
only.
"""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.core.management import get_commands, load_command_class
from django.core.management.commands.runserver import Command as WSGIRunserver
from django.db import Error as DatabaseError
from django.utils.module_loading import import_string

from . import conf
from .web import page, probe

_SERVERS = ("daphne", "hypercorn", "granian")  # each brings WebSockets along
_ASGI_PY = (
    "In asgi.py: application = ProtocolTypeRouter({"
    '"http": ASGIStaticFilesHandler(get_asgi_application()), '
    '"websocket": AuthMiddlewareStack(URLRouter(troupe.routing.websocket_urlpatterns))}). README.md has the whole file.'
)


def check_asgi(**_: Any) -> list[CheckMessage]:
    """The project's ASGI application opens sockets and, in development, serves the pages' script."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command != "check" and not command.startswith("runserver"):
        return []
    messages = [*_runserver(command), *_websocket_library(), *_script()]
    name = getattr(settings, "ASGI_APPLICATION", None)
    if not name or find_spec("channels") is None:
        return messages  # checks.check_channels says so
    try:
        application = import_string(name)
    except Exception as error:
        text = f"ASGI_APPLICATION is {name!r}, which cannot be imported: {_described(error)}"
        return [*messages, checks.Error(text, hint=_ASGI_PY, id="troupe.E012")]
    messages.extend(_socket(application))
    if command == "check":
        messages.extend(_static(application))
    return messages


def check_static_origin(**_: Any) -> list[CheckMessage]:
    """With --deploy: the pages' script is a module, which browsers run from another origin only if that agrees."""
    url = page.script_url()
    if not urlsplit(url).netloc:
        return []
    hint = (
        "Let it send `Access-Control-Allow-Origin: *` with /static/troupe/, and then add troupe.W045 to "
        "SILENCED_SYSTEM_CHECKS. Without it pages are shown and never come to life."
    )
    text = f"Pages load {url}, a module from another origin, which must send Access-Control-Allow-Origin."
    return [checks.Warning(text, hint=hint, id="troupe.W045")]


def _socket(application: Any) -> Iterator[CheckMessage]:
    """Whether a page's handshake reaches Troupe, and with the user's session."""
    path = conf.get("SOCKET_PATH")
    result = async_to_sync(probe.handshake)(application, path)
    name = f"ASGI_APPLICATION ({settings.ASGI_APPLICATION})"
    if result.scope is not None:
        if "session" not in result.scope and apps.is_installed("django.contrib.sessions"):
            text = f"{name} opens sockets without the visitor's session: pages of logged-in users cannot join."
            hint = "Wrap the URLRouter in channels.auth.AuthMiddlewareStack."
            yield checks.Warning(text, hint=hint, id="troupe.W016")
        return
    text = str(result.error)
    if isinstance(result.error, DatabaseError):
        return  # a middleware of the project's asked a database that is not there yet
    refused = text if isinstance(result.error, ValueError) else ""
    if "No application configured" in refused or "only handle ASGI/HTTP" in refused:
        text = f'{name} has no application for "websocket": pages are shown, and cannot connect.'
        yield checks.Warning(text, hint=_ASGI_PY, id="troupe.W013")
    elif "No route found" in refused:
        text = f"{name} has no route for {path}, where pages open their sockets."
        hint = (
            'Under "websocket", give URLRouter troupe.routing.websocket_urlpatterns, or a list with '
            "*websocket_urlpatterns in it. TROUPE['SOCKET_PATH'] sets another address."
        )
        yield checks.Warning(text, hint=hint, id="troupe.W014")
    else:
        what = _described(result.error) if result.error else result.answer or "it returned without an answer"
        text = f"{name} turns pages' sockets at {path} away before they reach Troupe: {what}"
        hint = (
            "Look at what is in front of troupe.routing.websocket_urlpatterns: routers, middleware, origin checks."
        )
        yield checks.Warning(text, hint=hint, id="troupe.W015")


def _static(application: Any) -> Iterator[CheckMessage]:
    """Whether an ASGI server would serve the pages' script in development. In production others do that."""
    url = urlsplit(page.script_url())
    if not settings.DEBUG or url.netloc or not apps.is_installed("django.contrib.staticfiles"):
        return
    if not _is_wsgi("runserver"):
        return  # that is what runs in development here, and it serves static files itself
    answer = async_to_sync(probe.get)(application, url.path)
    if answer.error or answer.status >= 500 or (answer.status == 200 and "javascript" in answer.content_type):
        return
    said = f"status {answer.status}" if answer.status != 200 else f"something of type {answer.content_type or '(none)'}"
    text = (
        f"ASGI_APPLICATION ({settings.ASGI_APPLICATION}) answers GET {url.path} with {said}: under an ASGI server "
        "pages are shown without their script."
    )
    hint = (
        'Set "http": ASGIStaticFilesHandler(get_asgi_application()) in asgi.py (from '
        "django.contrib.staticfiles.handlers), or use WhiteNoise, or add daphne to INSTALLED_APPS and use runserver."
    )
    yield checks.Warning(text, hint=hint, id="troupe.W017")


def _runserver(command: str) -> Iterator[CheckMessage]:
    """Django's own runserver speaks WSGI."""
    if not command.startswith("runserver") or not (_is_wsgi(command) or "--noasgi" in sys.argv):
        return
    if "--noasgi" in sys.argv:
        hint = "Leave out --noasgi."
    elif apps.is_installed("daphne"):
        hint = 'Move "daphne" to the front of INSTALLED_APPS: another app\'s runserver comes before it.'
    else:
        install = "P" if find_spec("daphne") else "`pip install daphne`, and p"
        setting = "" if getattr(settings, "ASGI_APPLICATION", None) else ", and set ASGI_APPLICATION"
        hint = (
            f'{install}ut "daphne" at the front of INSTALLED_APPS{setting}: runserver then speaks ASGI. Or run an ASGI '
            "server, such as uvicorn, in its place."
        )
    text = f"This {command} serves WSGI, which has no WebSockets: pages are shown, and cannot connect."
    yield checks.Warning(text, hint=hint, id="troupe.W018")


def _is_wsgi(command: str) -> bool:
    """Whether that command is Django's own server in the end. Those that speak ASGI run another one."""
    try:
        app = get_commands()[command]
        found = load_command_class(app, command) if isinstance(app, str) else app
    except Exception:  # no such command, or one that cannot be imported: Django says so
        return False
    return getattr(type(found), "inner_run", None) is WSGIRunserver.inner_run


def _websocket_library() -> Iterator[CheckMessage]:
    """uvicorn installs no WebSocket library by itself, and answers 404 then."""
    if find_spec("uvicorn") is None or any(find_spec(name) for name in ("websockets", "wsproto", *_SERVERS)):
        return
    text = "uvicorn is installed without a library for WebSockets: pages are shown, and cannot connect."
    yield checks.Warning(text, hint="`pip install websockets`", id="troupe.W030")


def _script() -> Iterator[CheckMessage]:
    """Whether the files that pages load are found where static files are collected from."""
    if not apps.is_installed("django.contrib.staticfiles"):
        return  # checks.check_middleware says so
    from django.contrib.staticfiles import finders

    try:
        name = next((each for each in page.script_names() if not finders.find(each)), None)
    except Exception:  # Django's own checks say what is wrong with STATICFILES_FINDERS
        return
    if name is None:
        return
    hint = "Add django.contrib.staticfiles.finders.AppDirectoriesFinder to STATICFILES_FINDERS."
    if not (Path(__file__).parent / "static" / name).is_file():
        hint = "Set TROUPE['MINIFIED'] to None, or build it (scripts/build)."
    text = f"No finder of static files finds {name}: pages are shown without their script."
    yield checks.Warning(text, hint=hint, id="troupe.W019")


def _described(error: BaseException | None) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
