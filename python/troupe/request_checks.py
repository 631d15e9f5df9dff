"""System checks: what of a page's request cannot reach its live views."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.utils.module_loading import import_string

from . import conf
from .web.page_facts import OWN_ATTRS


def check_request_attrs(**_: Any) -> list[CheckMessage]:
    """TROUPE["REQUEST_ATTRS"] names what middleware of the project's own sets, and nothing else."""
    given = conf.given()
    if not isinstance(given, dict) or conf.problem("REQUEST_ATTRS"):
        return []  # check_settings says so
    own = [name for name in given.get("REQUEST_ATTRS", ()) if name in OWN_ATTRS]
    if not own:
        return []
    text = f"TROUPE['REQUEST_ATTRS'] names {', '.join(own)}, which has no effect."
    hint = "Every live view's request has it by itself, as of now. Take it out of the list."
    return [checks.Warning(text, hint=hint, id="troupe.W040")]


def check_remote_user(**_: Any) -> list[CheckMessage]:
    """RemoteUserMiddleware reads a header, which a WebSocket's handshake can have, and no variable of the server's."""
    if not apps.is_installed("django.contrib.auth"):
        return []
    from django.contrib.auth.middleware import RemoteUserMiddleware

    messages: list[CheckMessage] = []
    for path in settings.MIDDLEWARE:
        try:
            found: Any = import_string(path)
        except ImportError:  # Django says so itself
            continue
        is_one = isinstance(found, type) and issubclass(found, RemoteUserMiddleware)
        if not is_one or found.header.startswith("HTTP_") or not found.force_logout_if_no_header:
            continue
        name = found.header.replace("_", "-").title()
        text = f"{path} takes users from META[{found.header!r}]: WebSockets need that as a header, {name}."
        hint = (
            "Have the proxy set the header on WebSockets, too, and remove it from what visitors send. Or name one that "
            'it sets on both in a subclass (header = "HTTP_X_FORWARDED_USER"), or use PersistentRemoteUserMiddleware.'
        )
        messages.append(checks.Warning(text, hint=hint, id="troupe.W041"))
    return messages


def check_middleware_hooks(**_: Any) -> list[CheckMessage]:
    """process_template_response() is called with a TemplateResponse, which a live page has none of."""
    messages: list[CheckMessage] = []
    for path in settings.MIDDLEWARE:
        try:
            found: Any = import_string(path)
        except ImportError:  # Django says so itself
            continue
        if not hasattr(found, "process_template_response"):
            continue
        text = f"{path}.process_template_response() is not called for live pages: a worker renders them."
        hint = "What it adds to templates, a context processor can add to live pages as well."
        messages.append(checks.Warning(text, hint=hint, id="troupe.W043"))
    return messages
