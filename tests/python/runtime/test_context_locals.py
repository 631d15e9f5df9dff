"""What stands in for two asgiref Locals in a worker: Django's own functions find their values, each context its own."""

import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.local import Local
from django.urls import clear_script_prefix, get_script_prefix, get_urlconf, set_script_prefix, set_urlconf
from django.utils import timezone, translation

from troupe.runtime import context_locals


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    for module, name, _ in context_locals._REPLACED:
        monkeypatch.setattr(module, name, Local())
    context_locals.install()


def test_django_finds_what_it_set(settings):
    settings.USE_I18N = True
    assert translation.get_language() == settings.LANGUAGE_CODE
    with translation.override("de"), timezone.override("Europe/Rome"):
        assert translation.get_language() == "de"
        assert str(timezone.get_current_timezone()) == "Europe/Rome"
        with translation.override(None):
            assert translation.get_language() is None
    translation.activate("fr")
    translation.deactivate()
    translation.deactivate()
    timezone.activate("Europe/Rome")
    timezone.deactivate()
    timezone.deactivate()
    assert translation.get_language() == settings.LANGUAGE_CODE
    assert str(timezone.get_current_timezone()) == settings.TIME_ZONE


def test_a_context_sees_only_its_own(settings):
    turn = contextvars.Context()
    turn.run(translation.activate, "de")
    assert turn.run(translation.get_language) == "de"
    assert translation.get_language() == settings.LANGUAGE_CODE
    assert contextvars.Context().run(translation.get_language) == settings.LANGUAGE_CODE


def test_the_urls_of_a_turn_are_those_on_any_thread():
    turn = contextvars.Context()
    turn.run(set_script_prefix, "/app")
    turn.run(set_urlconf, "shop.urls")
    with ThreadPoolExecutor(1) as other:
        assert other.submit(turn.run, get_script_prefix).result() == "/app/"
        assert other.submit(turn.run, get_urlconf).result() == "shop.urls"
    assert get_script_prefix() == "/" and get_urlconf() is None
    turn.run(clear_script_prefix)
    turn.run(set_urlconf, None)
    assert turn.run(get_script_prefix) == "/" and turn.run(get_urlconf) is None


def test_what_was_active_stays_so(monkeypatch):
    monkeypatch.setattr(timezone, "_active", Local())
    timezone.activate("Europe/Rome")
    context_locals.install()
    assert type(timezone._active) is context_locals.ContextLocal
    assert timezone.get_current_timezone_name() == "Europe/Rome"
    timezone.deactivate()


def test_it_is_an_attribute_like_any_other():
    local = context_locals.ContextLocal("test")
    assert not hasattr(local, "value")
    with pytest.raises(AttributeError):
        del local.value
    local.value = None
    assert local.value is None
    del local.value
    assert getattr(local, "value", 7) == 7
    with pytest.raises(AttributeError):
        local.other = 1
