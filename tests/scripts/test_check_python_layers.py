"""The gate of the Python package's rooms can fail."""

import pathlib

import check_python_layers
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = "python/troupe"
MODULES = (
    "__init__",
    "conf",
    "views",
    "routing",
    "web/__init__",
    "web/page",
    "web/transport/__init__",
    "web/transport/base",
    "web/transport/inproc",
    "runtime/__init__",
    "runtime/entry",
    "template/__init__",
    "template/plan",
    "templatetags/troupe",
    "management/commands/troupe",
)


@pytest.fixture
def package(tmp_path):
    """A function that writes an import into a module of a small package, and returns what the gate finds."""
    for name in MODULES:
        file = tmp_path / PACKAGE / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")

    def problems(module, text):
        (tmp_path / PACKAGE / f"{module}.py").write_text(text + "\n")
        return check_python_layers.check(tmp_path)

    return problems


def test_this_repository():
    assert check_python_layers.check(ROOT) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("web/page", "from .. import conf"),
        ("web/page", "from . import transport"),
        ("web/page", "from .transport.base import Reply"),
        ("web/page", "import troupe.conf"),
        ("web/page", "from django import http"),
        ("web/transport/inproc", "from ... import _native"),
        ("runtime/entry", "from ..views import LiveView"),
        ("runtime/entry", "from ..template import plan"),
        ("views", "from .web import page"),
        ("routing", "from .web.page import Page"),
        ("__init__", "from .views import LiveView"),
        ("templatetags/troupe", "from ..web import page"),
        ("management/commands/troupe", "from ... import conf"),
    ],
)
def test_allowed(package, module, text):
    assert package(module, text) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("web/page", "from ..runtime import entry"),
        ("web/page", "def f():\n    from ..runtime.entry import sync"),
        ("web/page", "import troupe.runtime.entry"),
        ("web/page", "from .. import views"),
        ("web/page", "from troupe import LiveView"),
        ("web/page", "from .. import _native"),
        ("web/page", "from ..nowhere import name"),
        ("runtime/entry", "from ..web import page"),
        ("template/plan", "from ..runtime import entry"),
        ("template/plan", "from ..web.page import Page"),
        ("template/plan", "from ..views import LiveView"),
        ("conf", "from .web import page"),
        ("conf", "from . import views"),
        ("templatetags/troupe", "from ..runtime import entry"),
    ],
)
def test_forbidden(package, module, text):
    (problem,) = package(module, text)
    assert problem.startswith(f"{PACKAGE}/{module}.py:")


def test_a_circle(package):
    assert package("web/page", "from .transport import base") == []
    (problem,) = package("web/transport/base", "def f():\n    from .. import page")
    assert problem == f"{PACKAGE}: a circle of imports: web.page, web.transport.base"
