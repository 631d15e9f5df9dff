"""From a dotted path to a view: which classes may be loaded, and how instances are made."""

import importlib
import inspect
from typing import Any

from django.apps import apps
from django.conf import settings

from .. import conf, project
from ..views import LiveView
from .faults import VIEW_REFUSED, Refused
from .housekeeping import settled


def _is_allowed(module: str) -> bool:
    names = [config.name for config in apps.get_app_configs() if config.name != "troupe"]
    names.extend(conf.get("VIEW_MODULES"))
    names.extend(_project_modules())
    return any(module == name or module.startswith(name + ".") for name in names)


def _project_modules() -> list[str]:
    """The URL configuration and its package: projects keep views there, too, without installing it as an app."""
    urls = getattr(settings, "ROOT_URLCONF", None)
    return [name for name in (urls, urls.rpartition(".")[0]) if name] if isinstance(urls, str) else []


def load_class(path: str) -> type[LiveView]:
    """The LiveView class at a dotted path. Refused(view_refused): it is no LiveView, or neither in an installed app, in
    the package of ROOT_URLCONF, nor in TROUPE["VIEW_MODULES"].

    The module's name is checked before the import: a path must not make a worker import arbitrary modules.
    """
    module, _, name = path.rpartition(".")
    if not module or not _is_allowed(module):
        raise Refused(
            VIEW_REFUSED,
            f"{path!r} is neither in an installed app, in the package of ROOT_URLCONF, nor in a module that "
            f"TROUPE['VIEW_MODULES'] lists (this worker serves the project {project.identity()['name']!r})",
        )
    try:
        cls = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            raise Refused(VIEW_REFUSED, f"there is no module {error.name!r}") from None
        raise
    if not (inspect.isclass(cls) and issubclass(cls, LiveView) and cls is not LiveView):
        raise Refused(VIEW_REFUSED, f"{path!r} is not a LiveView")
    return cls


@settled
def open_view(path: str, initkwargs: dict[str, Any] | None) -> LiveView:
    """A new instance of the class at `path`, made with the keywords of as_view(). With "" among them, they are in the
    URLconf only, and gate.enter() makes the instance complete.
    """
    cls: Any = load_class(path)
    if initkwargs and "" in initkwargs:
        view = cls.__new__(cls)
        view._troupe_incomplete = True
        return view
    return cls(**(initkwargs or {}))
