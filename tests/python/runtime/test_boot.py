"""What a worker imports before it says that it is ready."""

import sys

import pytest
from django.apps import AppConfig, apps

from troupe import state_directory
from troupe.runtime import boot


@pytest.fixture
def app(tmp_path, monkeypatch, settings):
    """A function that makes a package with these modules ({name: source}) and has it installed; its name."""
    settings.TROUPE = {"BROKER": "inproc://"}
    before = set(sys.modules)

    def make(name, **modules):
        folder = tmp_path / name
        folder.mkdir()
        for module, source in {"__init__": "", **modules}.items():
            (folder / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        package = __import__(name)
        monkeypatch.setattr(apps, "get_app_configs", lambda: [AppConfig(name, package)])
        return name

    yield make
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_views_of_installed_apps(app):
    name = app("with_views", views="SEEN = 1")
    boot.import_views()
    assert sys.modules[f"{name}.views"].SEEN == 1


def test_no_views(app):
    name = app("without_views")
    boot.import_views()
    assert f"{name}.views" not in sys.modules


def test_views_that_import_what_is_missing(app):
    app("needs_more", views="import nowhere_to_be_found")
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        boot.import_views()


def test_view_modules(app, settings):
    app("listed", pages="SEEN = 1")
    settings.TROUPE = {"BROKER": "inproc://", "VIEW_MODULES": ["listed.pages", "listed.gone", "gone.altogether"]}
    boot.import_views()
    assert sys.modules["listed.pages"].SEEN == 1


def test_package_that_raises(app, settings):
    app("outer", inner="import gone_too")
    settings.TROUPE = {"BROKER": "inproc://", "VIEW_MODULES": ["outer.inner.deeper"]}
    with pytest.raises(ModuleNotFoundError, match="gone_too"):
        boot.import_views()


def test_url_configuration(app, settings):
    name = app("with_urls", urls="urlpatterns = []")
    settings.ROOT_URLCONF = f"{name}.urls"
    boot.import_urls()
    assert f"{name}.urls" in sys.modules
    settings.ROOT_URLCONF = app("broken_urls", urls="import gone_as_well") + ".urls"
    with pytest.raises(ModuleNotFoundError, match="gone_as_well"):
        boot.import_urls()
    del settings.ROOT_URLCONF
    boot.import_urls()


def test_a_secret_key_that_each_process_makes_is_named(monkeypatch, capsys, settings):
    monkeypatch.setenv("TROUPE_DEFAULT_STATE", state_directory.default())
    boot._compare_secret_keys()
    assert capsys.readouterr().err == ""
    settings.SECRET_KEY = "made anew"
    boot._compare_secret_keys()
    assert "event=secret_key_differs" in capsys.readouterr().err


def test_django_configurations_is_installed_where_it_is_used(monkeypatch, app):
    name = app("configurations", importer="CALLS = []\ndef install(): CALLS.append(1)")
    monkeypatch.delenv("DJANGO_CONFIGURATION", raising=False)
    boot._install_configurations()
    assert f"{name}.importer" not in sys.modules
    monkeypatch.setenv("DJANGO_CONFIGURATION", "Dev")
    boot._install_configurations()
    assert sys.modules[f"{name}.importer"].CALLS == [1]
