"""A queryset in a view's state is a query, not its rows: what it was evaluated to is dropped before the next turn, and
before each rendering. On an ordinary page it is made anew with each request.

Wherever it is (an attribute, a list, a form's field, a paginator), it is one that was evaluated in a turn of the view:
that is noted. What prefetch_related() put into instances was not evaluated here, and stays with them, as a list does.
"""

import functools
import weakref
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.query import QuerySet, RawQuerySet

from . import rows, unkept
from .per_view import PerView

_evaluated: PerView[list[weakref.ref[Any]]] = PerView()
_entries = _evaluated.entries


def install(current_view: Callable[[], Any]) -> None:
    """current_view: that of the running turn, or None. Once a process; further calls do nothing."""
    for cls in (QuerySet, RawQuerySet):
        original: Any = cls._fetch_all
        if not hasattr(original, "_troupe_original"):
            cls._fetch_all = _noting(original, current_view)


def _noting(original: Callable[[Any], None], current_view: Callable[[], Any]) -> Callable[[Any], None]:
    @functools.wraps(original)
    def _fetch_all(self: Any) -> None:
        if self._result_cache is None:
            view = current_view()
            if view is not None:
                _note(view, self)
        original(self)

    _fetch_all._troupe_original = original  # type: ignore[attr-defined]
    return _fetch_all


def _note(view: Any, queryset: Any) -> None:
    noted = _evaluated.get(view)
    if noted is None:
        _evaluated.set(view, noted := [])
    noted.append(weakref.ref(queryset))


def forget(view: Any) -> None:
    """Drops what the view's querysets were evaluated to."""
    if not _entries:
        return
    for reference in _evaluated.pop(view) or ():
        queryset = reference()
        if queryset is None:
            continue
        if settings.DEBUG:
            _warn_of_decoration(view, queryset)
        queryset._result_cache, queryset._prefetch_done = None, False


def _warn_of_decoration(view: Any, queryset: Any) -> None:
    """What was set on the rows of a queryset is dropped with them: its author is told."""
    cached = queryset._result_cache
    if not cached or not isinstance(cached[0], models.Model):
        return
    known = set(getattr(getattr(queryset, "query", None), "annotations", ()))
    names = sorted(set(rows.what_else(cached[0])) - known)
    if names and isinstance(queryset, QuerySet):
        unkept.tell(
            view,
            f"{', '.join(names)}, set on instances of {queryset.model._meta.label} in a queryset, is gone at the next "
            "rendering, for which the queryset is evaluated anew: keep list() of it",
        )
