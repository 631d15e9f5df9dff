"""Says what of a view's state is not kept: to whoever develops it, in the browser's console, and in the log."""

import logging
from typing import Any

from django.conf import settings

from ..logs import quoted, word
from .per_view import PerView

logger = logging.getLogger("troupe")

_MOST_TOLD = 20  # texts a view

_missing: PerView[dict[str, str]] = PerView()  # attributes that restore() has to make → why they were not kept
_untold: PerView[list[str]] = PerView()  # with DEBUG: what the view's page has yet to be told
_entries = _untold.entries
_told: PerView[set[str]] = PerView()


def tell(view: Any, text: str) -> None:
    """With DEBUG the view's page is told this, with its next answer, and once."""
    told = _told.get(view) or set()
    if settings.DEBUG and text not in told and len(told) < _MOST_TOLD:
        _told.set(view, told | {text})
        _untold.set(view, [*(_untold.get(view) or ()), text])


def note_unkept(view: Any, why: str) -> None:
    """A snapshot of the view failed."""
    tell(
        view,
        f"the state of this page is not kept: after a deploy, or when its worker dies, it begins anew. {why}. "
        'See "What outlives a worker" in the guide.',
    )


def take_warnings(view: Any) -> list[str]:
    """What the page has yet to be told."""
    return (_untold.pop(view) if _entries else None) or []


def note_missing(view: Any, names: dict[str, str]) -> None:
    """The view comes from a snapshot that lacks these attributes. names: with the reasons."""
    _missing.set(view, names)


def report_missing(view: Any) -> None:
    """After restore(): names what it has not made again."""
    for name, why in (_missing.pop(view) or {}).items():
        if name not in vars(view):
            cls = type(view)
            logger.warning(
                "event=not_rebuilt view=%s attribute=%s reason=%s hint=%s",
                word(f"{cls.__module__}.{cls.__qualname__}"),
                word(name),
                quoted(why),
                quoted(f"set self.{name} in restore()"),
            )
