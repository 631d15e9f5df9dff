"""What a LiveView may take from Django's class-based views: what would never be called there is refused when the class
is defined, with what to do instead.
"""

from typing import Any

from django.views.generic.base import View

from .validation import is_marked, named, place

# Whoever defines these expects Django to call them for a request; a page of a LiveView is always made by its template.
_METHODS = tuple(name for name in View.http_method_names if name != "options")
_MAKE_RESPONSES = {
    "render_to_response": "answer from dispatch(), or return a response from mount()",
    "response_class": "change the response in dispatch(): `response = super().dispatch(…)`",
    "view_is_async": "write `async def` event handlers: they are awaited in the worker",
}
_GENERIC = "django.views.generic."
# In place of a view of Django's own: what it is made of, without get() and post().
_INSTEAD = {
    "TemplateView": "A LiveView is one already: leave TemplateView out",
    "RedirectView": "Return redirect(…) from mount(), or use a RedirectView beside it",
    "ListView": "Use MultipleObjectMixin, and `self.object_list = self.get_queryset()` in mount()",
    "DetailView": "Use SingleObjectMixin, and `self.object = self.get_object()` in mount()",
    "FormView": "Use FormMixin, and handle the form in an event handler",
    "CreateView": "Use ModelFormMixin, `self.object = None` in mount(), and save in an event handler",
    "UpdateView": "Use ModelFormMixin, `self.object = self.get_object()` in mount(), and save in an event handler",
    "DeleteView": "Use SingleObjectMixin, and delete in an event handler",
    "DateDetailView": "Use SingleObjectMixin with YearMixin, MonthMixin and DayMixin",
    "DeletionMixin": "Delete in an event handler",
    "ProcessFormView": "Use FormMixin, and handle the form in an event handler",
}
_CONTENT_TYPES = ("text/html", "text/html;charset=utf-8")
_INSTEAD_OF_DATES = "Use MultipleObjectMixin with DateMixin, YearMixin, MonthMixin…"


def check_class(cls: type[Any], root: type[Any]) -> None:
    """TypeError: `cls` has something of a Django view that would never be called. root: LiveView."""
    own = set(root.__mro__)
    others = [base for base in cls.__mro__ if base not in own]
    seen: set[str] = set()
    for base in others:
        for name, value in vars(base).items():
            if name not in seen:
                seen.add(name)
                _check_attribute(cls, base, root, name, value)
    _check_values(cls, {name: getattr(cls, name) for name in ("http_method_names", "content_type")})


def check_initkwargs(cls: type[Any], initkwargs: dict[str, Any]) -> None:
    """TypeError: a keyword of as_view() would have no effect."""
    for name in initkwargs.keys() & _MAKE_RESPONSES.keys():
        raise TypeError(f"{cls.__qualname__}.as_view({name}=…): {_unused(name)}")
    _check_values(cls, initkwargs)


def _check_attribute(cls: type[Any], base: type[Any], root: type[Any], name: str, value: Any) -> None:
    if name in _METHODS and callable(value) and not is_marked(value):
        raise TypeError(f"{named(cls, base, name)}{place(value)}: {_advice(cls, base, root, name)}")
    if name in _MAKE_RESPONSES and value is not getattr(root, name):
        raise TypeError(f"{named(cls, base, name)}{place(value)}: {_unused(name)}")


def _advice(cls: type[Any], base: type[Any], root: type[Any], name: str) -> str:
    text = f"a {root.__name__} is shown by mount() and its template, so that {name}() would never be called"
    found = [base for base in cls.__mro__ if base.__module__.startswith(_GENERIC)]
    generic = [base.__name__.removeprefix("Base") for base in found]
    for view in generic:
        if view in _INSTEAD:
            return f"{text}. {_INSTEAD[view]}."
    if any(view.endswith(("ArchiveView", "DateListView")) for view in generic):
        return f"{text}. {_INSTEAD_OF_DATES}."
    if base.__module__.split(".")[0] != cls.__module__.split(".")[0]:  # of a package: its code stays where it is
        parts = [each.__name__ for each in base.__mro__[1:] if each not in root.__mro__ and not _answers(each)]
        made_of = f", and take of it what you need: {', '.join(parts)}" if parts else ""
        return f"{text}. Leave {base.__name__} out{made_of}. Do in mount() or an @event_handler what its {name}() does."
    where = "mount()" if name in ("get", "head") else "an @event_handler"
    return (
        f"{text}. Move its code into {where}. If a browser's events are to call it, decorate it with @event_handler; "
        "otherwise give it another name."
    )


def _answers(base: type[Any]) -> bool:
    """Whether a class has methods that answer requests, its own or inherited ones."""
    return any(callable(getattr(base, name, None)) for name in _METHODS)


def _unused(name: str) -> str:
    return f"the page is made by the template, and nothing uses this. Instead, {_MAKE_RESPONSES[name]}."


def _check_values(cls: type[Any], values: dict[str, Any]) -> None:
    methods, content_type = values.get("http_method_names", ["get"]), values.get("content_type")
    where = f"{cls.__module__}.{cls.__qualname__}"
    if not hasattr(methods, "__get__") and "get" not in methods:
        raise TypeError(f"{where}.http_method_names has no 'get': nobody could load the page. Add it.")
    if isinstance(content_type, str) and content_type.replace(" ", "").lower() not in _CONTENT_TYPES:
        raise TypeError(f"{where}.content_type is {content_type!r}, but a live page is HTML in UTF-8. Leave it out.")
