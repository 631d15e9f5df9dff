"""What stands in for two asgiref Locals in a worker: Django's own functions find their values, each context its own."""

import contextvars

import pytest
from django.utils import timezone, translation
from django.utils.translation import trans_real

from troupe.runtime import context_locals


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr(timezone, "_active", timezone._active)
    monkeypatch.setattr(trans_real, "_active", trans_real._active)
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
