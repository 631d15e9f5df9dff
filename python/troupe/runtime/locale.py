"""The language and the time zone of a view's user."""

import contextvars
import functools

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils import timezone, translation

from ..views import LiveView
from .fencing import EPOCH
from .housekeeping import LOCALE_ENDS_WITH_CONTEXT


def activate_locale(view: LiveView) -> None:
    """Activates the user's language and time zone on the thread that runs the turn."""
    request = view.request
    if request is None:
        return
    language = getattr(request, "_troupe_language", None)
    zone = getattr(request, "_troupe_time_zone", None)
    if language:
        translation.activate(language)
    if zone:
        timezone.activate(zone)


def current_locale() -> tuple[str, object]:
    """(language, time zone) that values are formatted for. For comparisons only."""
    # If the turn's own context has no variable besides the epoch, nothing was activated: the site's defaults hold.
    if LOCALE_ENDS_WITH_CONTEXT:
        context = contextvars.copy_context()
        if len(context) == (EPOCH in context):
            return _default_locale()
    return translation.get_language(), timezone.get_current_timezone()


@functools.cache
def _default_locale() -> tuple[str, object]:
    return settings.LANGUAGE_CODE, timezone.get_default_timezone()


@receiver(setting_changed, dispatch_uid="troupe.runtime.locale")
def _clear_default_locale(**_: object) -> None:
    _default_locale.cache_clear()
