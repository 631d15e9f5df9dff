"""The first Python that a worker runs: sets Django up once, before any thread runs a turn."""

import gc
import importlib
import importlib.util
import os
import sys


def setup(settings_module: str | None, views: bool = True, debug: bool = False) -> bool:
    """django.setup() with this settings module (None: as DJANGO_SETTINGS_MODULE says), and what turns need besides.

    views: import the view modules and the URLconf, too. debug: there is a user at standard input, for breakpoint().
    Whatever this raises ends the worker, with the traceback shown.
    """
    if settings_module:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    import django
    from django.conf import settings

    _install_configurations()
    django.setup()
    from . import context_locals, debugger, error_mail, shutdown, thread_instances, trackers

    if not debug:
        debugger.refuse()

    context_locals.install()
    shutdown.install()
    error_mail.install(error_mail.OncePerKind(), error_mail.MailThread())
    if views:
        import_views()
        import_urls()
    thread_instances.install()  # of what is imported by now
    trackers.install()
    if "troupe" not in settings.INSTALLED_APPS and "troupe.apps.TroupeConfig" not in settings.INSTALLED_APPS:
        hint = "add 'troupe' to INSTALLED_APPS"
        sys.stderr.write(f'level=WARN component=worker event=app_missing hint="{hint}"\n')
    _compare_secret_keys()
    gc.collect()
    gc.freeze()  # Django and its models live as long as the process: keep them out of collections
    return True


def _install_configurations() -> None:
    """django-configurations reads settings from classes, by way of an importer that manage.py and asgi.py install."""
    if os.environ.get("DJANGO_CONFIGURATION") and importlib.util.find_spec("configurations"):
        importlib.import_module("configurations.importer").install()


def _compare_secret_keys() -> None:
    """Warns where `manage.py troupe up` had another SECRET_KEY than this process: the directory that it chose tells."""
    from .. import state_directory

    chosen = os.environ.get("TROUPE_DEFAULT_STATE")
    if chosen and os.path.basename(chosen) != state_directory.own_name():
        hint = (
            "SECRET_KEY is another one than when manage.py troupe up was started, and pages of processes with that key "
            "are refused: settings must not make a new key whenever they are imported. If it was changed, start the "
            "fleet again"
        )
        sys.stderr.write(f'level=WARN component=worker event=secret_key_differs hint="{hint}"\n')


def import_views() -> None:
    """Imports the `views` module of each installed app that has one, and TROUPE["VIEW_MODULES"]. So the first page need
    not wait for it, and an import error shows before sessions are placed here.

    A module that does not exist is skipped; what an existing one raises is raised.
    """
    from django.apps import apps

    from .. import conf

    names = [f"{app.name}.views" for app in apps.get_app_configs()]
    for name in [*names, *conf.get("VIEW_MODULES")]:
        if _exists(name):
            importlib.import_module(name)


def import_urls() -> None:
    """Imports the URL configuration, which all pages look themselves up in: several threads would import it at once
    when the first ones come, and an import error shows before sessions are placed here.
    """
    from django.conf import settings
    from django.urls import get_resolver

    if getattr(settings, "ROOT_URLCONF", None):
        _ = get_resolver().url_patterns


def _exists(name: str) -> bool:
    """Whether there is such a module. Imports the packages that contain it."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError as error:
        if error.name and name.startswith(f"{error.name}."):
            return False
        raise
