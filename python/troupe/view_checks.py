"""System checks of live views: templates that are missing or broken, and markup that would do nothing in the browser.

Views are those of the URL configuration, and every subclass of LiveView that is imported by then.
"""

import difflib
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines
from django.template.base import Template
from django.template.loader import get_template
from django.urls import get_resolver

from . import conf, validation
from .runtime import literals
from .template.inlining import Unplannable
from .template.markup_check import Call, Markup, read_markup
from .views import LiveView

_IDS = {"attribute": "troupe.W022", "outside": "troupe.W023", "roots": "troupe.W024"}
_SILENCE = "If this is intended, add {} to SILENCED_SYSTEM_CHECKS."


def check_views(**_: Any) -> list[CheckMessage]:
    """Every live view's template."""
    messages: list[CheckMessage] = []
    seen: dict[tuple[str | None, str | None], Markup | None] = {}
    told: set[tuple[str, str]] = set()
    for cls, initkwargs in live_views():
        name = initkwargs.get("template_name", cls.template_name)
        source = initkwargs.get("template_string", cls.template_string)
        if not isinstance(name, str):
            name = None
        key = (name, None) if source is None else (None, source)
        if key == (None, None) or not isinstance(source, (str, type(None))):
            continue  # a base class, or chosen at run time
        if key not in seen:
            seen[key] = _read(cls, name, source, messages)
        markup = seen[key]
        for message in _messages(cls, markup) if markup else ():
            if (message.id or "", message.msg) not in told:
                told.add((message.id or "", message.msg))
                messages.append(message)
    return messages


def live_views() -> Iterator[tuple[type[LiveView], dict[str, Any]]]:
    """(class, keywords of as_view()), each class at least once."""
    found = set()
    if getattr(settings, "ROOT_URLCONF", None):
        try:
            for callback in _callbacks(get_resolver().url_patterns):
                cls = getattr(callback, "view_class", None)
                if isinstance(cls, type) and issubclass(cls, LiveView):
                    found.add(cls)
                    yield cls, getattr(callback, "view_initkwargs", {})
        except Exception:  # Django's own checks say what is wrong with the URL configuration
            pass
    waiting = list(LiveView.__subclasses__())
    while waiting:
        cls = waiting.pop(0)
        waiting.extend(cls.__subclasses__())
        if cls not in found and "<locals>" not in cls.__qualname__:  # a worker could not import that
            found.add(cls)
            yield cls, {}


def _callbacks(patterns: Any) -> Iterator[Any]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _callbacks(pattern.url_patterns)
        else:
            yield pattern.callback


def _read(cls: type[LiveView], name: str | None, source: str | None, messages: list[CheckMessage]) -> Markup | None:
    """The markup of a template, or None after a message about why there is none."""
    title = f"{cls.__module__}.{cls.__qualname__}"
    try:
        template = _template(name, source)
        return read_markup(template) if template is not None else None
    except TemplateDoesNotExist as error:
        messages.append(_missing(cls, name, error))
    except TemplateSyntaxError as error:
        text = f"{title}: template {name or 'template_string'} cannot be compiled: {error}"
        messages.append(checks.Warning(text, obj=cls, id="troupe.W026"))
    except Unplannable as error:  # what it extends is known when it is rendered, or never
        if isinstance(error.__cause__, TemplateDoesNotExist):
            messages.append(_missing(cls, name, error.__cause__))
    except Exception as error:  # a tag of a library that needs a request, say
        text = f"{title}: template {name or 'template_string'} could not be checked: {error!r}"
        messages.append(checks.Info(text, obj=cls, id="troupe.I027"))
    return None


def _missing(cls: type[LiveView], name: str | None, error: TemplateDoesNotExist) -> CheckMessage:
    needed_by = "" if str(error) == name else f", which {name or 'template_string'} needs,"
    text = f"{cls.__module__}.{cls.__qualname__}: template {str(error)!r}{needed_by} does not exist."
    hint = "Each template directory and installed app of TEMPLATES was searched."
    return checks.Warning(text, hint=hint, obj=cls, id="troupe.W025")


def _template(name: str | None, source: str | None) -> Template | None:
    """Django's own template. None: another engine's."""
    if source is None:
        found: Any = get_template(name or "")
    else:
        found = next((engine for engine in engines.all() if hasattr(engine, "engine")), None)
        found = found and found.from_string(source)
    template = getattr(found, "template", None)
    return template if isinstance(template, Template) else None


def _messages(cls: type[LiveView], markup: Markup) -> Iterator[CheckMessage]:
    for call in markup.calls:
        yield from _call(cls, call)
    for mistake in markup.mistakes:
        code = _IDS[mistake.kind]
        text = f"{mistake.spot}: {mistake.text}"
        yield checks.Warning(text, hint=_SILENCE.format(code), id=code)


def _call(cls: type[LiveView], call: Call) -> Iterator[CheckMessage]:
    title = f"{cls.__module__}.{cls.__qualname__}"
    shown = f'{call.spot}: {call.attribute}="{call.handler}"'
    name = call.name()
    if name is None:
        yield checks.Warning(f"{shown} is not the name of a handler.", obj=cls, id="troupe.W020")
        return
    try:
        literals.parse(call.arguments())
    except literals.LiteralError as error:
        text = f"{shown}: {error}."
        yield checks.Warning(text, hint="Arguments are read, never evaluated.", obj=cls, id="troupe.W020")
    function = validation.lookup(cls, LiveView, name)
    if function is None:
        near = difflib.get_close_matches(name, _handlers(cls), 1)
        hint = f"Did you mean {near[0]!r}?" if near else "Define it in the view, decorated with @event_handler."
        yield checks.Warning(f"{shown}: {title} has no handler {name!r}.", hint=hint, obj=cls, id="troupe.W020")
    elif not validation.is_marked(function) and _is_strict():
        text = f"{shown}: {title}.{name}() is not decorated with @event_handler, so browsers may not call it."
        yield checks.Warning(text, hint="Decorate it.", obj=cls, id="troupe.W021")


def _is_strict() -> bool:
    """Whether browsers may call decorated methods only. An unusable value is another check's, and means so."""
    return bool(conf.problem("STRICT_EVENTS")) or conf.get("STRICT_EVENTS")


def _handlers(cls: type[LiveView]) -> list[str]:
    """The names of its handlers."""
    names = {name for base in cls.__mro__ for name, value in vars(base).items() if validation.is_marked(value)}
    return sorted(names)
