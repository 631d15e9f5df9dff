"""A project as startproject makes it, with actors in this process. See README.md and live_pages.py."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# live_pages; asgi_socket; case_45_request
FOLDERS = [HERE, HERE.parent / "python", HERE.parents[1] / "python", HERE.parent / "cases" / "sites"]
sys.path[:0] = [str(folder) for folder in FOLDERS]
os.environ["DJANGO_SETTINGS_MODULE"] = "idiom_settings"

import django  # noqa: E402

django.setup()

import pytest  # noqa: E402

from troupe.web.transport import inproc  # noqa: E402


@pytest.fixture(autouse=True)
def actors(request, settings):
    """No actors from before; views may come from the test's own module."""
    settings.TROUPE = {**settings.TROUPE, "VIEW_MODULES": [request.module.__name__]}
    inproc.reset()
    yield
    inproc.reset()
