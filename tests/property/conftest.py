"""Sets Django up with the random site's settings. The extension module must be built."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import run  # noqa: E402

run.set_up()


@pytest.fixture(scope="session")
def browser():
    """The real client, in jsdom."""
    from browser import Jsdom

    with Jsdom() as one:
        yield one


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """The real client, in a real browser."""
    from browser import Chromium

    with Chromium(tmp_path_factory.mktemp("chromium")) as one:
        yield one
