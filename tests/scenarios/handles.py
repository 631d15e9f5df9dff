"""Troupe's Python handles inside the test process, aimed at a fleet."""

import contextlib

from django.conf import settings
from django.test import override_settings

KEY = "the scenarios' own key, which signs nothing that matters"


@contextlib.contextmanager
def on_fleet(fleet):
    """Inside, TROUPE["BROKER"] is the fleet's front address and SECRET_KEY the project's."""
    if not settings.configured:
        settings.configure(SECRET_KEY=KEY, USE_TZ=True)
    from troupe import conf

    with override_settings(SECRET_KEY=KEY, TROUPE={"BROKER": fleet.front}):
        conf._configured.cache_clear()
        yield
    conf._configured.cache_clear()
