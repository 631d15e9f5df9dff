"""The language and the time zone of a turn: those of the page's request, until the view activates others.

What a view activates in mount() or a handler holds for that view from then on, as its attributes do: it is one of them,
so a snapshot has it. `with override(…)` leaves nothing behind.
"""

import contextvars
import datetime
import functools
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils import timezone, translation

from ..views import LiveView
from .fencing import EPOCH
from .housekeeping import LOCALE_ENDS_WITH_CONTEXT
from .request_attributes import activate_urls
from .turn import TURN

CHOSEN = "_troupe_locale"  # the attribute of a view: (language, time zone) that it activated; None: neither

_entered: contextvars.ContextVar[tuple[str | None, object]] = contextvars.ContextVar("troupe.locale")
_NO_LANGUAGE = ""  # deactivate_all()


def activate_locale(view: LiveView) -> None:
    """Activates the view's language and time zone, and the site's URLs, on the thread that runs the turn."""
    request: Any = view.request
    chosen = vars(view).get(CHOSEN)
    if request is None and chosen is None:
        return
    language, zone = chosen or (None, None)
    if request is not None:
        urls = getattr(request, "_troupe_urls", None)  # a test may give a view another kind of request
        if urls is not None:
            activate_urls(urls)
        if language is None:
            language = getattr(request, "_troupe_language", None)
        if zone is None:
            zone = getattr(request, "_troupe_time_zone", None)
    if language:
        translation.activate(language)
    elif language == _NO_LANGUAGE:
        translation.deactivate_all()
    if zone is not None:
        timezone.activate(timezone.get_fixed_timezone(zone) if isinstance(zone, int) else zone)
    _entered.set((translation.get_language(), timezone.get_current_timezone()))


def keep_locale(view: LiveView) -> None:
    """After user code, before the rendering: keeps what it activated as the view's own. In a turn without user code,
    activates the view's.

    TypeError: it activated a time zone that no snapshot can hold.
    """
    entered = _entered.get(None)
    if entered is None:
        if view.request is not None or CHOSEN in vars(view):
            return activate_locale(view)
        entered = _default_locale()
    language, zone = current_locale()
    if language == entered[0] and (zone is entered[1] or zone == entered[1]):
        return
    chosen = vars(view).get(CHOSEN) or (None, None)
    view.__dict__[CHOSEN] = (
        chosen[0] if language == entered[0] else language or _NO_LANGUAGE,
        chosen[1] if zone == entered[1] else _zone_key(zone),
    )
    _entered.set((language, zone))


def _zone_key(zone: Any) -> str | int:
    """What stands for a time zone in a snapshot: its name, or its offset in minutes."""
    key = getattr(zone, "key", None) or getattr(zone, "zone", None)  # zoneinfo, pytz
    if key:
        return str(key)
    offset = zone.utcoffset(None) if type(zone) is datetime.timezone else None
    if offset is None or offset % datetime.timedelta(minutes=1):
        name = type(zone).__name__
        raise TypeError(f"timezone.activate() got a {name}, which cannot be kept: use a name or a ZoneInfo")
    return int(offset.total_seconds()) // 60


def current_locale() -> tuple[str | None, object]:
    """(language, time zone) that values are formatted for. For comparisons only."""
    # If the turn's own context has no variable besides the epoch, nothing was activated: the site's defaults hold.
    if LOCALE_ENDS_WITH_CONTEXT:
        context = contextvars.copy_context()
        if len(context) == (EPOCH in context) + (TURN in context):
            return _default_locale()
    return translation.get_language(), timezone.get_current_timezone()


@functools.cache
def _default_locale() -> tuple[str, object]:
    return settings.LANGUAGE_CODE, timezone.get_default_timezone()


@receiver(setting_changed, dispatch_uid="troupe.runtime.locale")
def _clear_default_locale(**_: object) -> None:
    _default_locale.cache_clear()
