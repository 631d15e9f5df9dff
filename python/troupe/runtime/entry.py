"""What the C runtime asks of Python for each turn, in the worker and over inproc://: classes, requests,
handlers, templates.

worker/py/view.c calls these functions by name, with the GIL held. Whatever they raise becomes the turn's
fault; `Refused` says of which kind. Nothing here keeps state of a turn.
"""

import asyncio
import contextlib
import contextvars
import functools
import importlib
import inspect
import linecache
import logging
import sys
import traceback

from asgiref.sync import iscoroutinefunction
from django.apps import apps
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.signals import setting_changed
from django.db import connections, transaction
from django.dispatch import receiver
from django.http import Http404
from django.http.response import HttpResponseBase, HttpResponseRedirectBase
from django.template import Context, Template, TemplateDoesNotExist
from django.template.context import make_context
from django.utils import timezone, translation

from .. import conf, validation, wire
from ..errors import HandlerTimeout
from ..logs import word
from ..validation import is_marked, lookup, refuse_unused
from ..views import LiveView
from . import housekeeping, template_cache
from .fencing import EPOCH
from .housekeeping import (  # noqa: F401  begin, end and set_housekeeping are called by name, from C
    LOCALE_ENDS_WITH_CONTEXT,
    awaited_turn_over,
    begin,
    clean,
    end,
    note_interruption,
    set_housekeeping,
    settle,
)
from .request import build_request, new_cookies

logger = logging.getLogger("troupe")

PYTHON, TEMPLATE, HANDLER_NOT_FOUND, VIEW_REFUSED, FORBIDDEN, PARAMS = (
    "python",
    "template",
    "handler_not_found",
    "view_refused",
    "forbidden",
    "params",
)

_RENDER = Template._render
_NOTHING = contextlib.nullcontext()
_SENTENCE_LENGTH = 4000
_FRAMES = 40
_OURS = {__file__, validation.__file__, housekeeping.__file__}  # their frames tell a project nothing


class Refused(Exception):
    """A fault with a message of its own: `kind` is a word of PROTOCOL.md 7."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def settled(function):
    """A function of the C runtime's that runs user code: what that leaves open on its thread fails the turn."""

    @functools.wraps(function)
    def call(*args):
        try:
            result = function(*args)
        except BaseException:
            clean()
            raise
        settle()
        return result

    return call


def refuse_params(error):
    """Parameters that are no Python: a key that is not text, an extension type that does not parse."""
    raise Refused(PARAMS, f"the parameters cannot be read: {error}") from None


# Classes


def _listed(module):
    names = [config.name for config in apps.get_app_configs() if config.name != "troupe"]
    names.extend(conf.get("VIEW_MODULES"))
    return any(module == name or module.startswith(name + ".") for name in names)


def load_class(path):
    """The LiveView class at a dotted path. Refused(view_refused): not in a listed module or an installed app,
    or no LiveView.

    The module is looked at before it is imported: a path cannot make a worker import what the project does
    not use.
    """
    module, _, name = path.rpartition(".")
    if not module or not _listed(module):
        raise Refused(
            VIEW_REFUSED,
            f"{path!r} is not in an installed app nor in a module that TROUPE['VIEW_MODULES'] lists",
        )
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            raise Refused(VIEW_REFUSED, f"there is no module {error.name!r}") from None
        raise
    if not (inspect.isclass(found) and issubclass(found, LiveView) and found is not LiveView):
        raise Refused(VIEW_REFUSED, f"{path!r} is not a LiveView")
    return found


@settled
def open_view(path, init):
    """A new instance of the class at `path`, made with the keywords of as_view()."""
    return load_class(path)(**(init or {}))


# Mount and join


def _enter_locale(view):
    """The person's language and time zone, on the thread that runs their turn now."""
    request = view.request
    if request is None:
        return
    language = getattr(request, "_troupe_language", None)
    zone = getattr(request, "_troupe_time_zone", None)
    if language:
        translation.activate(language)
    if zone:
        timezone.activate(zone)


def _authorize(view, path, request):
    try:
        allowed = view.authorize(request)
    except PermissionDenied as error:
        raise Refused(FORBIDDEN, str(error) or f"authorize() of {path} said no") from None
    refuse_unused(allowed, f"{path}.authorize()")
    if not allowed:
        raise Refused(FORBIDDEN, f"authorize() of {path} said no")


def _answer(status, headers=(), body=b"", request=None):
    cookies = [["Set-Cookie", text] for text in new_cookies(request)] if request is not None else []
    return {"status": status, "headers": [list(pair) for pair in headers] + cookies, "body": body}


def _of_response(response, request):
    if not getattr(response, "is_rendered", True):  # a TemplateResponse
        response.render()
    headers = [[name, value] for name, value in response.items()]
    headers += [["Set-Cookie", morsel.OutputString()] for morsel in response.cookies.values()]
    return _answer(response.status_code, headers, bytes(getattr(response, "content", b"")), request)


@settled
def mount_view(view, path, request_map, url, params):
    """Builds the request, asks authorize(), calls mount(). None, or what the visitor gets instead of the
    view: {"status", "headers", "body"}. With status 0 the view stands, and its page has those headers too.

    mount() may return a response (a redirect, say) or raise Http404 or PermissionDenied; another return value
    is ignored.
    """
    request = build_request(request_map, url) if request_map is not None else None
    view.request = request
    _enter_locale(view)
    _authorize(view, path, request)
    try:
        result = view.mount(request, **params)
    except Http404 as error:
        return _answer(404, body=str(error).encode("utf-8", "replace"))
    except PermissionDenied as error:
        return _answer(403, body=str(error).encode("utf-8", "replace"))
    refuse_unused(result, "it")
    if isinstance(result, HttpResponseBase):
        if not isinstance(result, HttpResponseRedirectBase) and result.status_code < 300:
            logger.warning("event=mount_response view=%s status=%d", word(path), result.status_code)
        return _of_response(result, request)
    cookies = new_cookies(request) if request is not None else []
    return {"status": 0, "headers": [["Set-Cookie", text] for text in cookies]} if cookies else None


@settled
def join_view(view, path, request_map, url, revived=False):
    """A page's socket joins a view that lives: its request is the view's from now on, and authorize() is
    asked again. revived: the view comes from a snapshot.
    """
    request = build_request(request_map, url)
    view.request = request
    _enter_locale(view)
    _authorize(view, path, request)
    if revived:
        refuse_unused(view.restore(request), f"{path}.restore()")


@settled
def adopt_state(view, path, state):
    """Sets the attributes of a new view from a snapshot. state: by name; "" is the state_version of who left it."""
    version = state.pop("", 0)
    if version != view.state_version:
        state = view.migrate(version, state)
        refuse_unused(state, f"{path}.migrate()")
        if state is None:
            raise Refused(VIEW_REFUSED, f"{path}.migrate() takes nothing over from state_version {version!r}")
        if not isinstance(state, dict):
            raise TypeError(f"{path}.migrate() must return a dict or None, not {type(state).__name__}")
    vars(view).update(state)


def carry_view(view):
    """What join_view() builds the request from of a view that moves to another worker, packed; None: it has none."""
    request = view.request
    facts = getattr(request, "_troupe_facts", None)
    return None if facts is None else wire.pack_body({"request": facts, "url": request._troupe_url})


@settled
def restore_view(view):
    """A program's view that comes from a snapshot: it has no request."""
    refuse_unused(view.restore(view.request), "it")


def rebuilds(view):
    """Whether the view's class makes again, in restore(), what no snapshot can hold."""
    return type(view).restore is not LiveView.restore


# Handlers

_handlers = {}


def _handler(cls, name):
    """(function, decorated) of a handler, or None."""
    function = lookup(cls, LiveView, name)
    return None if function is None else (_in_transaction(function), is_marked(function))


def _in_transaction(function):
    """ATOMIC_REQUESTS for a handler: what it writes is kept or undone as one; the render stands outside."""
    aliases = [alias for alias in connections if connections[alias].settings_dict.get("ATOMIC_REQUESTS")]
    if aliases:
        function = _not_awaited(function)
    for alias in aliases:
        function = transaction.atomic(using=alias)(function)
    return function


def _not_awaited(function):
    text = "You cannot use ATOMIC_REQUESTS with async event handlers."
    if iscoroutinefunction(function):
        raise RuntimeError(text)

    @functools.wraps(function)
    def call(*args, **kwargs):
        result = function(*args, **kwargs)
        if inspect.isawaitable(result):  # what is left to run would run behind the transaction
            if inspect.iscoroutine(result):
                result.close()
            raise RuntimeError(text)
        return result

    return call


def find_handler(view, path, name, browser):
    """The function to call with the view and the parameters. Refused(handler_not_found): there is none."""
    _enter_locale(view)
    cls = type(view)
    found = _handlers.get((cls, name))
    if found is None:
        found = _handler(cls, name)
        if found is None:
            raise Refused(HANDLER_NOT_FOUND, f"Handler '{name}' not found on {path}")
        _handlers[cls, name] = found
    function, decorated = found
    if browser and not decorated and conf.get("STRICT_EVENTS"):
        raise Refused(HANDLER_NOT_FOUND, f"Handler '{name}' not found on {path}")
    return function


def find_tick(view):
    """The function to call with the view when it ticks."""
    _enter_locale(view)
    return _tick_of(type(view))


@functools.cache
def _tick_of(cls):
    function = cls.handle_tick
    return function if function is LiveView.handle_tick else _in_transaction(function)


def may_repeat(view, name):
    """Whether a handler is marked retry_safe."""
    found = _handler(type(view), name)
    return found is not None and getattr(found[0], "_troupe_retry_safe", False)


@settled
def run_handler(function, view, params):
    """Calls a handler or handle_tick(). What can be awaited is returned, to be awaited; another result is dropped."""
    result = function(view, **params)
    if result is not None:
        refuse_unused(result, "it", awaited=True)
    return result


async def guard(awaitable):
    """Awaits a handler and tells how it ended, (True, result) or (False, exception), so that no exception can
    end the loop. Over the soft limit it is cancelled, and has ended with HandlerTimeout.
    """
    timer = asyncio.timeout(HandlerTimeout.limit)
    try:
        async with timer:
            result = await awaitable
        if result is not None and not asyncio.isfuture(result):
            refuse_unused(result, "it")
        settle()  # DJANGO_ALLOW_ASYNC_UNSAFE: the loop's own thread
        return True, result
    except BaseException as error:
        clean()
        if not timer.expired() or not isinstance(error, TimeoutError):
            return False, error
        cancelled = error.__context__ or error  # where it was
        return False, HandlerTimeout().with_traceback(cancelled.__traceback__)
    finally:
        awaited_turn_over()


# State and template


@settled
def sync(view):
    """The context of the next render. TypeError unless get_context_data() gives a dict."""
    _enter_locale(view)
    context = view.get_context_data()
    refuse_unused(context, "it")
    if not isinstance(context, dict):
        raise TypeError(f"get_context_data() must return a dict, not {type(context).__name__}")
    return context


def _template(view, path):
    try:
        if view.template_string is not None:
            return template_cache.from_source(view.template_string)
        if view.template_name is not None:
            return template_cache.named(view.template_name)
    except template_cache.NoEngine as error:
        raise Refused(TEMPLATE, str(error)) from None
    raise Refused(TEMPLATE, f"{path} has neither template_name nor template_string")


def rendering(view, path, data, whole, make_page):
    """A generator around one rendering. It yields once: (context, plan, locale), with the context bound as Django's
    backend binds it until the generator is closed; or the HTML, where there is no plan, or `whole` is asked for.

    locale: what plain values are formatted by, to be compared. make_page: see pages.page_of().
    """
    try:
        template = _template(view, path)
        django = getattr(template, "template", None)
        if whole or not isinstance(django, Template):
            yield template.render(data, view.request)
            return
        context = make_context(data, view.request, autoescape=template.backend.engine.autoescape)
        with _NOTHING if _bind(context, django) else context.bind_template(django):
            context.template_name = django.name
            plan = template_cache.page_of(django, context, make_page)
            if plan is None:
                yield django._render(context)
            else:
                _tell_tests(django, context)
                yield context, plan, _locale()
    except TemplateDoesNotExist as error:
        raise Refused(TEMPLATE, f"{path}: template does not exist: {error}") from error


def _locale():
    """What plain values are formatted by now: (language, time zone)."""
    # Where nothing was set in the turn's own context, nothing is active: the site's own are.
    if LOCALE_ENDS_WITH_CONTEXT:
        context = contextvars.copy_context()
        if len(context) == (EPOCH in context):
            return _default_locale()
    return translation.get_language(), timezone.get_current_timezone()


@functools.cache
def _default_locale():
    return settings.LANGUAGE_CODE, timezone.get_default_timezone()


@receiver(setting_changed, dispatch_uid="troupe.runtime.locale")
def _forget_locale(**_):
    _default_locale.cache_clear()


def _bind(context, template):
    """What Context.bind_template() and RenderContext.push_state() do, for a context that nobody uses afterwards.
    False: context processors are to be called, in bind_template() itself.
    """
    context.render_context.template = template
    context.render_context.push()
    if type(context) is not Context:
        return False
    context.template = template
    return True


def _tell_tests(template, context):
    """Django's test runner puts something of its own in place of Template._render, to learn what is rendered."""
    if Template._render is not _RENDER and "django.test.signals" in sys.modules:
        told = sys.modules["django.test.signals"].template_rendered
        told.send(sender=template, template=template, context=context)


# Faults


def _plain(text):
    return text.encode("utf-8", "replace").decode()[:_SENTENCE_LENGTH]


def _sentence(error):
    try:
        return _plain(str(error)) or type(error).__name__
    except BaseException:  # a __str__ that raises must not hide what happened
        return f"<{type(error).__name__} that cannot be shown>"


def describe(error, where):
    """(kind, message, type, frames) of an exception; frames are (file, line, function, source), innermost
    last.

    `where` is what was being done: "path.event()", or "" where the exception speaks for itself.
    """
    if isinstance(error, HandlerTimeout):
        note_interruption()
    if isinstance(error, Refused):
        return error.kind, _plain(str(error)), "", []
    kind = TEMPLATE if where.startswith("template ") else PYTHON
    message = f"Error in {where}: {_sentence(error)}"
    return kind, message, _plain(type(error).__qualname__), _frames(error)


def _frames(error):
    frames = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if code.co_filename in _OURS:
            continue
        source = linecache.getline(code.co_filename, line, frame.f_globals).strip()
        frames.append((_plain(code.co_filename), line, _plain(code.co_name), _plain(source)[:200]))
        if len(frames) > 2 * _FRAMES:  # a recursion: its two ends tell enough
            del frames[_FRAMES // 2]
    return frames[: _FRAMES // 2] + frames[-_FRAMES // 2 :] if len(frames) > _FRAMES else frames
