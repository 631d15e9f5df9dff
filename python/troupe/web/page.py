"""The HTTP side: views as pages, and views embedded in ordinary pages (proto/PROTOCOL.md 5.2, 9.1)."""

import asyncio
import functools
import logging
import math
import secrets
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.urls import NoReverseMatch, ResolverMatch, get_resolver, get_urlconf, reverse
from django.utils.asyncio import async_unsafe
from django.utils.html import format_html, format_html_join
from django.utils.http import escape_leading_slashes
from django.utils.safestring import SafeString, mark_safe
from django.views.generic.base import View

from .. import admission, conf, session_engine, tickets, wire
from ..errors import ActorError, expect
from ..logs import quoted, word
from ..validation import is_marked
from ..wire import Body, RequestMap
from . import (
    circuit_breaker,
    client_thread,
    debug_page,
    mount_effects,
    page_facts,
    page_token,
    request_facts,
    transport,
)
from .form_methods import with_methods

logger = logging.getLogger("troupe")

_PERMANENT = ("params", "malformed", "too_large", "type", "version")  # not executed, and never will be
# Nothing ran, and a retry soon may succeed: the page waits for it instead of answering 503.
_TRANSIENT = {"no_worker", "leaving", "busy", "unknown_session"}
_IN_ASYNC_CODE = (
    "A live view is mounted in a thread, and not in an async view's own: render the page, or call the view, by "
    "await sync_to_async(render)(request, …)."
)
_MINIFIED_FILE = Path(__file__).parents[1] / "static" / "troupe" / "dist" / "troupe.min.js"
# Parts of the client that pages load when they need them (static/troupe/parts.js), and what then is in their HTML.
_PARTS = {
    "forms": (b"dj-submit", b"dj-keydown.enter"),
    "editor": (b"contenteditable",),
    "notes": (),
    "later": (),
    "differences": (b"<!--$h-->", b"<!--$t-->"),
}
_PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


class Mounted(NamedTuple):
    """A view that was mounted, or (with `response`) what was answered in place of it. refused: not by its mount(), but
    by those who decide who may have it.

    effects: what is to be done to the page's request (mount_effects.py).
    """

    effects: dict[str, Any]
    html: bytes = b""
    response: HttpResponse | None = None
    refused: bool = False


async def mount(
    facts: RequestMap, session: bytes, path: str, params: dict[str, Any], init: dict[str, Any], flags: int
) -> Mounted:
    """Mounts one view in a session that then waits for its socket. The html carries the page token.

    session: 16 bytes. flags: wire.PAGE or wire.EMBED. ActorError.
    """
    view = secrets.token_bytes(16)
    body = {"path": path, "params": params, "init": init, "view": view, "request": facts}
    identity = session_engine.identity_of(facts["user"], facts["session_key"])
    body["identity"] = wire.owner_of(identity, facts["user"])
    fields = await _request_mount(session, body, flags | wire.UNADOPTED)
    effects = fields.get("effects") or {}
    if "status" in fields:
        return Mounted(effects, response=_own_response(fields), refused=fields.get("refused") is True)
    if "login" in effects:
        facts = {**facts, **effects["login"]}
    contents = page_token.make(session, fields["view"], path, params, init, facts, fields["version"])
    attribute = f' data-troupe="{page_token.sign(contents)}"'.encode()
    if settings.DEBUG:
        attribute += debug_page.handlers_attribute(path).encode()
    html, at = fields["html"], fields["at"]
    return Mounted(effects, html=with_methods(html[:at] + attribute + html[at:]))


async def _request_mount(session: bytes, body: Body, flags: int) -> Body:
    """Sends MOUNT and returns MOUNTED's body. Retries a transient refusal (a worker restarts, say) while there is
    time.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + conf.get("MOUNT_TIMEOUT")
    while True:
        circuit_breaker.check("MOUNT", body["path"])
        left = max(deadline - clock(), 0.1)
        options: dict[str, Any] = {"flags": flags, "ttl": int(left * 1000)}
        if not settings.DEBUG:  # with DEBUG, a debugger may hold mount() up
            options["timeout"] = left
        try:
            return expect(await transport.get().submit(wire.MOUNT, session, body, **options), wire.MOUNTED)
        except ActorError as error:
            circuit_breaker.record(error)
            pause = max((error.retry_ms or 0) / 1000, 0.1)
            if error.kind not in _TRANSIENT or clock() + pause >= deadline:
                raise
        await asyncio.sleep(pause)


async def drop(session: bytes) -> None:
    """Ends a session that nobody will join."""
    transport.get().send(wire.SHUTDOWN, session, {})


def view_function(cls: type[Any], inner: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view function that LiveView.as_view() returns: Django's, `inner`, which notes how it is called."""
    path = f"{cls.__module__}.{cls.__qualname__}"
    if not cls.use_actors:
        text = f"{path}.use_actors is false, which has no effect: views always run as actors here"
        warnings.warn(text, stacklevel=3)
    initkwargs = vars(inner)["view_initkwargs"]

    @functools.wraps(inner)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if tickets.HEADER in request.headers:
            return _hand_over(request, request.headers[tickets.HEADER])
        token = admission.CALL.set(admission.Call(initkwargs, args, kwargs))
        try:
            return inner(request, *args, **kwargs)
        finally:
            admission.CALL.reset(token)

    view.__name__ = view.__qualname__ = cls.__name__
    attributes = {
        # A POST does nothing (respond()), so that it needs no token; unless the project's own code sees it before.
        "csrf_exempt": vars(inner).get("csrf_exempt", not _sees_requests(cls)),
        "_troupe_function": view,  # a decorator's wrapper has it too, and is not it
        "_non_atomic_requests": admission.NonAtomic(),  # the worker applies ATOMIC_REQUESTS
    }
    vars(view).update(attributes)
    return view


def _hand_over(request: HttpRequest, ticket: str) -> HttpResponse:
    """The cookies that an event set, for the page that it belongs to (PROTOCOL.md 9.7)."""
    name = settings.SESSION_COOKIE_NAME
    handed_over = tickets.redeem(ticket, request.COOKIES)
    if handed_over is None:
        logger.warning("event=ticket_refused path=%s", quoted(request.path))
        return HttpResponse(status=403)
    response = HttpResponse(status=204)
    for text in handed_over.cookies:
        response.cookies.load(text)
    mount_effects.add_messages(request, handed_over.messages)
    if name in response.cookies and hasattr(request, "session"):
        # Else Django's middleware would delete the cookie, as the session that the request came with is gone.
        request.session = type(request.session)(response.cookies[name].value or None)
    response["Cache-Control"] = "no-store"
    return response


def cookies_view(request: HttpRequest) -> HttpResponse:
    """The view of troupe.urls: exchanges a ticket, whoever the user is."""
    return _hand_over(request, request.headers.get(tickets.HEADER, ""))


cookies_view.login_required = False  # type: ignore[attr-defined]  # for LoginRequiredMiddleware
# A transaction would hide from it that another request has taken the ticket.
cookies_view._non_atomic_requests = admission.NonAtomic()  # type: ignore[attr-defined]


def _sees_requests(cls: type[Any]) -> bool:
    """Whether code that is neither Django's nor Troupe's is called with the page's request in the web process."""
    own = [base for base in cls.__mro__ if base.__module__.split(".")[0] not in ("builtins", "django", "troupe")]
    return any(name in vars(base) for base in own for name in ("dispatch", "setup", "http_method_not_allowed"))


def respond(view: Any, request: HttpRequest, args: tuple[Any, ...], kwargs: dict[str, Any]) -> HttpResponseBase:
    """What LiveView.dispatch() returns over HTTP: the page with a view that a worker mounts. Blocks.

    view: the web process's own instance, after setup().
    """
    if "request" not in vars(view):
        raise AttributeError(
            f"{type(view).__qualname__} instance has no 'request' attribute. Did you override setup() and forget to "
            "call super()?"
        )
    method = (request.method or "").lower()
    if method == "options" and method in view.http_method_names:
        own = is_marked(type(view).options)  # an event handler of that name
        return View.options(view, request) if own else view.options(request, *args, **kwargs)
    if method == "post" and method in view.http_method_names:
        # A form that was sent before the page's script was there (form_methods.py): nothing is done with it. (After a
        # 204 the browser would stay, with what was typed, and never run the script that was on its way.)
        return HttpResponse(status=303, headers={"Location": escape_leading_slashes(request.get_full_path())})
    if method not in ("get", "head") or method not in view.http_method_names:
        return view.http_method_not_allowed(request, *args, **kwargs)
    return _page(view, request, admission.CALL.get() or admission.Call({}, view.args, view.kwargs))


@async_unsafe(_IN_ASYNC_CODE)
def _page(view: Any, request: HttpRequest, call: admission.Call) -> HttpResponseBase:
    path = f"{type(view).__module__}.{type(view).__qualname__}"
    try:
        facts = request_facts.of_http(request)
    except request_facts.RequestTooLarge:
        return HttpResponse("The URL is too long.", status=414, content_type="text/plain")
    route, params, init = _travelling(request, path, call)
    facts["route"] = route
    session = secrets.token_bytes(16)
    try:
        mounted = _mount(request, facts, session, path, params, init, wire.PAGE)
    except ActorError as error:
        return _error_response(request, path, error)
    if mounted.response is not None:
        return mounted.response
    loses_its_root = _loses_its_root(mounted.html, request)
    if request.method == "HEAD" or _is_prefetch(request) or loses_its_root:
        client_thread.call(drop, session)
    content_type = view.content_type or "text/html; charset=utf-8"
    response = HttpResponse(with_script(mounted.html, request), content_type=content_type)
    response["Cache-Control"] = "private, no-cache"
    if loses_its_root:
        response["HX-Redirect"] = request.get_full_path()
    return response


def _mount(request: HttpRequest, *args: Any) -> Mounted:
    """Calls mount() with these arguments, and applies its effects to the page's request. Blocks. ActorError."""
    try:
        mounted = client_thread.call(mount, *args)
    except ActorError as error:
        mount_effects.apply(request, error.effects)
        raise
    mount_effects.apply(request, mounted.effects)
    return mounted


def _travelling(
    request: HttpRequest, path: str, call: admission.Call
) -> tuple[str | None, dict[str, Any], dict[str, Any]]:
    """(route, params, init): what MOUNT says of the URL (RequestMap), of the view function's arguments, and of
    as_view()'s keywords.

    What the wire can carry exactly is sent. The rest the worker finds by the page's URL, as it has the same URLconf.
    ImproperlyConfigured: it would not find it there.
    """
    match = request.resolver_match
    params, init = call.kwargs, call.initkwargs
    route = "call" if match is not None else None
    if match is not None and (call.args or not wire.is_exact(params)) and _is_of_url(call, match):
        route, params = "url", {}
    elif call.args:
        raise ImproperlyConfigured(f"{path} was called with unnamed arguments that its URL does not have: name them")
    if match is not None and not wire.is_exact(init):
        init = {"": True}
    return route, params, init


def _is_of_url(call: admission.Call, match: ResolverMatch) -> bool:
    """Whether the function of as_view() was called with what the URL resolver found."""
    given = (*call.args, *call.kwargs.values())
    found = (*match.args, *match.kwargs.values())
    return call.kwargs.keys() == match.kwargs.keys() and all(a is b for a, b in zip(given, found, strict=True))


@async_unsafe(_IN_ASYNC_CODE)
def embed(request: HttpRequest, path: str, params: dict[str, Any]) -> SafeString:
    """The HTML of one view inside of an ordinary page, for the template tag. Blocks. ActorError, PermissionDenied,
    Http404, BadRequest.

    All views of one request share a session.
    """
    facts = request_facts.of_http(request)
    session = getattr(request, "_troupe_session", None)
    if session is None:
        session = request._troupe_session = secrets.token_bytes(16)
    try:
        mounted = _mount(request, facts, session, path, params, {}, wire.EMBED)
    except ActorError as error:
        if error.kind == "forbidden":
            raise PermissionDenied(str(error)) from error
        if error.kind == "not_found":
            raise Http404(str(error)) from error
        if error.kind == "bad_request":
            raise BadRequest(str(error)) from error
        raise
    if mounted.refused:
        raise PermissionDenied(f"the user may not have {path}")
    if mounted.response is not None:
        status = mounted.response.status_code
        text = f"{path}.mount() answered with HTTP status {status} inside a page"
        raise ActorError("python", text, view_path=path)
    return mark_safe(mounted.html.decode())


_LATER = "This page is temporarily unavailable. Please try again."
_NO_WORKER = ": the terminal of `manage.py troupe up` says why, and `manage.py troupe status` how the last one ended"


def script_tag(request: HttpRequest | None = None) -> SafeString:
    """The <script>s that load the client, with the page's CSP nonce if there is one: one that sees what happens while
    the page is parsed, so that it waits for nothing, and the client. With DEBUG, one before them explains why a page
    cannot connect, and one after them shows Django's debug page for what a handler raises.
    """
    nonce, cookie = page_facts.nonce_of(request), page_facts.language_cookie()
    nonce_attribute = format_html(' nonce="{}"', nonce) if nonce else ""
    tag = format_html(
        '<script src="{}"{}></script><script type="module" src="{}"{}{} data-troupe-socket="{}"{}{}></script>',
        static(script_name("early")),
        nonce_attribute,
        script_url(),
        format_html_join("", ' data-troupe-{}="{}"', ((part, static(script_name(part))) for part in _PARTS)),
        format_html(' data-troupe-language="{}"', cookie) if cookie else "",
        page_facts.socket_path(),
        _cookies_attribute(),
        nonce_attribute,
    )
    if not settings.DEBUG:
        return tag
    served = "asgi" if isinstance(request, ASGIRequest) else "wsgi" if isinstance(request, WSGIRequest) else ""
    before, after = static("troupe/no-connection.js"), static("troupe/debug-page.js")
    first = '<script type="module" src="{}" data-troupe-served="{}"{}></script>'
    last = format_html('<script type="module" src="{}"{}></script>', after, nonce_attribute)
    return format_html(first, before, served, nonce_attribute) + tag + last


def script_name(part: str = "troupe") -> str:
    """The file of the client, or of a part that it loads when a page needs it, among the static files."""
    return f"troupe/dist/{part}.min.js" if _is_minified() else f"troupe/{part}.js"


def script_names() -> list[str]:
    """All that pages may load."""
    return [script_name(each) for each in ("early", "troupe", *_PARTS)]


def script_url() -> str:
    """Where pages load it from."""
    url: str = static(script_name())
    return url


def _cookies_attribute() -> str:
    """Where the page exchanges tickets, if the project includes troupe.urls."""
    try:
        return format_html(' data-troupe-cookies="{}"', reverse("troupe-cookies"))
    except NoReverseMatch:
        return ""


def _is_minified() -> bool:
    """Whether pages load the minified file instead of the modules: TROUPE["MINIFIED"]."""
    wanted = conf.get("MINIFIED")
    return _MINIFIED_FILE.is_file() and not settings.DEBUG if wanted is None else wanted


def with_script(html: bytes, request: HttpRequest) -> bytes:
    """The page with the script at the end of its head (docs/decisions/browser/0006), unless it has one already.

    Without a </head>: before the first root, so that it sees what is done to it; else before the last </body>, or at
    the end.
    """
    if b"data-troupe-socket" in html:
        return html
    tag = (_preload(html, request) + script_tag(request)).encode()
    lower = html.lower()
    at = lower.find(b"</head>")
    if at < 0:
        at = _root_tag(html)
    if at < 0:
        at = lower.rfind(b"</body>")
    return html + tag if at < 0 else html[:at] + tag + html[at:]


def _root_tag(html: bytes) -> int:
    """Where the tag of the page's first root begins; -1: there is none."""
    return html.rfind(b"<", 0, max(html.find(b' data-troupe="'), 0))


def _preload(html: bytes, request: HttpRequest) -> str:
    """<link>s, so that the parts of the client that a page needs come along with it."""
    nonce = page_facts.nonce_of(request)
    nonce_attribute = format_html(' nonce="{}"', nonce) if nonce else ""
    needed = [part for part, signs in _PARTS.items() if any(sign in html for sign in signs)]
    tags = ((static(script_name(part)), nonce_attribute) for part in needed)
    return format_html_join("", '<link rel="modulepreload" href="{}"{}>', tags)


def _is_prefetch(request: HttpRequest) -> bool:
    words = " ".join(request.headers.get(name, "") for name in _PREFETCH_HEADERS).lower()
    return "prefetch" in words or "preview" in words or "prerender" in words


def _loses_its_root(html: bytes, request: HttpRequest) -> bool:
    """Whether htmx asks for the page to put what is in its <body> into another page's (hx-boost), and <body> is the
    root: its token would be lost. htmx is told to load it as a page.
    """
    if request.headers.get("HX-Boosted") != "true":
        return False
    start = _root_tag(html)
    return html[start : start + 5].lower() == b"<body"


def _own_response(fields: Body) -> HttpResponse:
    """The HttpResponse of a MOUNTED with a status. BadHeaderError: Django refuses a header."""
    response = HttpResponse(fields.get("body") or b"", status=fields["status"])
    for name, value in fields.get("headers") or ():
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        elif name.lower() not in ("content-length", "connection", "transfer-encoding"):
            response[name] = value
    return response


def _error_response(request: HttpRequest, path: str, error: ActorError) -> HttpResponse:
    """The response to a failed mount: the project's own 400, 403 and 500, or 503 where a retry may help."""
    if error.kind == "forbidden":
        raise PermissionDenied(str(error)) from error
    if error.kind == "not_found":
        raise Http404(str(error)) from error
    if error.kind == "bad_request":
        response = _reported(request, path, error, 400)
    elif error.is_reported:
        response = _reported(request, path, error, 500)
    elif error.outcome == "failed" or error.kind in _PERMANENT:
        raise error  # Django logs it, and shows it with DEBUG
    else:
        logger.error("event=mount_failed view=%s path=%s %s", word(path), quoted(request.path), error.log_fields())
        text = f"{error}{_NO_WORKER if error.kind == 'no_worker' else ''}" if settings.DEBUG else _LATER
        response = HttpResponse(text, status=503, content_type="text/plain; charset=utf-8")
        response["Retry-After"] = str(max(1, math.ceil((error.retry_ms or 1000) / 1000)))
    response["Cache-Control"] = "no-store"
    response._has_been_logged = True  # so that Django does not log it again
    return response


def _reported(request: HttpRequest, path: str, error: ActorError, status: int) -> HttpResponse:
    """The response to an exception that the worker has reported: logged, signalled, mailed. One line says so here."""
    logger.warning("event=mount_failed view=%s path=%s %s", word(path), quoted(request.path), error.log_fields())
    if not settings.DEBUG:
        handler = get_resolver(get_urlconf()).resolve_error_handler(status)
        response: HttpResponse = handler(request) if status == 500 else handler(request, exception=error)
        return response
    page = debug_page.read(error)
    if page is not None:
        response = HttpResponse(page, status=status)
        # As on Django's own debug pages (6.0 and later): a policy would take their style and scripts away.
        response._csp_config = response._csp_ro_config = {}
        return response
    title = f"{error.type or error.kind} in {path}"
    parts = title, error.message, error.frames_text(), "The worker runs without DEBUG."
    text = "\n\n".join(parts)
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
