"""The name under which packages find Troupe's engine."""

import importlib
import subprocess
import sys

import pytest
from django.template import Engine, engines
from django.template.utils import InvalidTemplateEngineError
from django.test import override_settings
from django.utils.module_loading import import_string

STOCK = "django.template.backends.django.DjangoTemplates"
OURS = "troupe.template.TroupeTemplates"


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([{"BACKEND": OURS}], ["django"]),
        ([{"BACKEND": "troupe.template.django.TroupeTemplates"}], ["django"]),
        ([{"BACKEND": OURS, "NAME": "fast"}], ["fast"]),
        ([{"BACKEND": STOCK}, {"BACKEND": OURS}], ["django", "template"]),
        ([{"BACKEND": OURS}, {"BACKEND": STOCK}], ["template", "django"]),
        ([{"BACKEND": OURS}, {"BACKEND": STOCK, "NAME": "plain"}], ["django", "plain"]),
        ([{"BACKEND": OURS}, {"BACKEND": OURS, "NAME": "django"}], ["template", "django"]),
        ([], []),
    ],
)
def test_it_has_djangos_name_where_nobody_else_has(entries, names):
    with override_settings(TEMPLATES=entries):
        assert list(engines) == names
        if names == ["django"]:
            assert engines["django"] is engines.all()[0]
            Engine.get_default.cache_clear()
            assert Engine.get_default() is engines["django"].engine
            assert engines["django"].from_string("{{ a }}").render({"a": 1}) == "1"
    Engine.get_default.cache_clear()


def test_two_without_a_name_are_told_apart_by_django():
    with override_settings(TEMPLATES=[{"BACKEND": OURS}, {"BACKEND": OURS}]), pytest.raises(Exception, match="unique"):
        list(engines)


def test_the_name_is_there_before_other_apps_are_ready():
    """As django-cotton does it: it looks for the name in ready(), and puts a loader and a builtin into its entry."""
    code = f"""
import sys, types
import django
from django.apps import AppConfig
from django.conf import settings

class First(AppConfig):
    name, path = "first", "."
    def ready(self):
        (entry,) = settings.TEMPLATES
        assert (entry.get("NAME") or entry["BACKEND"].split(".")[-2]) == "django"
        entry.pop("APP_DIRS")
        entry["OPTIONS"] = {{"loaders": [("django.template.loaders.locmem.Loader", {{"a": "found"}})]}}

sys.modules["first"] = module = types.ModuleType("first")
sys.modules["first.apps"] = module.apps = types.ModuleType("first.apps")
module.apps.First = First
settings.configure(TEMPLATES=[{{"BACKEND": {OURS!r}, "APP_DIRS": True}}], INSTALLED_APPS=["first.apps.First", "troupe"])
django.setup()
from django.template.loader import render_to_string
print(render_to_string("a"), render_to_string("a", using="django"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": "python"})
    assert done.stdout == "found found\n", done.stderr


def test_both_paths_are_one_class():
    assert import_string(OURS) is importlib.import_module("troupe.template.django").TroupeTemplates
    with override_settings(TEMPLATES=[{"BACKEND": OURS}]), pytest.raises(InvalidTemplateEngineError):
        engines["template"]
