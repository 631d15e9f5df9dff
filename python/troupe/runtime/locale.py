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
from django.utils.translation import trans_real

from ..views import LiveView
from .context_locals import UNSET
from .request_attributes import activate_urls

CHOSEN = "_troupe_locale"  # the attribute of a view: (language, time zone) that it activated; None: neither

_NO_LANGUAGE = ""  # deactivate_all()

_DEFAULT = (None, UNSET)
_Active = tuple[Any, Any]  # Django's own (translation, time zone); None: the site's default
# As the turn began.
_entered: contextvars.ContextVar[_Active | None] = contextvars.ContextVar("troupe.locale", default=None)


def _active() -> _Active:
    try:
        return trans_real._active.variable.get(None), timezone._active.variable.get(None)
    except AttributeError:  # Django has replaced one of our ContextLocals, as it does when a setting changes
        return getattr(trans_real._active, "value", None), getattr(timezone._active, "value", None)


def activate_locale(view: LiveView) -> None:
    """Activates the view's language and time zone, and the site's URLs, on the thread that runs the turn."""
    request: Any = view.request
    chosen = view.__dict__.get(CHOSEN)
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
        known = request.__dict__.get("_troupe_active")
        if known is not None and known[0] == language and known[1] == zone and _activate_again(*known[2:]):
            return
    if language:
        translation.activate(language)
    elif language == _NO_LANGUAGE:
        translation.deactivate_all()
    if zone is not None:
        timezone.activate(timezone.get_fixed_timezone(zone) if isinstance(zone, int) else zone)
    active = _active()
    _entered.set(active)
    if request is not None:
        request._troupe_active = (language, zone, trans_real._active, timezone._active, active)


def _activate_again(translation_local: Any, zone_local: Any, active: _Active) -> bool:
    """Activates what an earlier turn of the same request has found. False: Django has replaced these objects since."""
    if translation_local is not trans_real._active or zone_local is not timezone._active:
        return False
    if active[0] is not None:
        translation_local.value = active[0]
    if active[1] is not None:
        zone_local.value = active[1]
    _entered.set(active)
    return True


def keep_locale(view: LiveView) -> None:
    """After user code, before the rendering: keeps what it activated as the view's own. In a turn without user code,
    activates the view's.

    TypeError: it activated a time zone that no snapshot can hold.
    """
    entered, active = _entered.get(), _active()
    if entered is None:
        if view.request is not None or CHOSEN in view.__dict__:
            return activate_locale(view)
        entered = (None, None)
    if active[0] is entered[0] and active[1] is entered[1]:
        return
    (language, zone), (language_before, zone_before) = _names(active), _names(entered)
    chosen = view.__dict__.get(CHOSEN) or (None, None)
    kept = (
        chosen[0] if language == language_before else language or _NO_LANGUAGE,
        chosen[1] if zone == zone_before else _zone_key(zone),
    )
    if kept != (None, None):
        view.__dict__[CHOSEN] = kept
    _entered.set(active)


def _names(active: _Active) -> tuple[str | None, object]:
    """The language's code and the time zone. None: translations are switched off."""
    language, zone = active
    code = settings.LANGUAGE_CODE if language in _DEFAULT else language.to_language()
    return code, timezone.get_default_timezone() if zone in _DEFAULT else zone


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
    language, zone = _active()
    if language is None and zone is None:
        return _default_locale()
    return translation.get_language(), timezone.get_current_timezone()


@functools.cache
def _default_locale() -> tuple[str, object]:
    return settings.LANGUAGE_CODE, timezone.get_default_timezone()


@receiver(setting_changed, dispatch_uid="troupe.runtime.locale")
def _clear_default_locale(**_: object) -> None:
    _default_locale.cache_clear()
