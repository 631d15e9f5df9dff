"""A worker's first Python: Django, set up once, before any thread runs a turn."""

import gc
import os
import sys


def setup(settings_module):
    """django.setup() with this settings module (None: as DJANGO_SETTINGS_MODULE says), what a turn needs
    of it, and a look at what is easily forgotten.

    Whatever it raises ends the worker, with the traceback shown.
    """
    if settings_module:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    import django
    from django.conf import settings

    django.setup()
    from troupe import turnlocal

    turnlocal.install()
    if "troupe" not in settings.INSTALLED_APPS and "troupe.apps.TroupeConfig" not in settings.INSTALLED_APPS:
        hint = "add 'troupe' to INSTALLED_APPS"
        sys.stderr.write(f'level=WARN component=worker event=app_missing hint="{hint}"\n')
    gc.collect()
    gc.freeze()  # Django and its models live as long as the process: no collection need look at them
    return True
