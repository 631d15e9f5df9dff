"""request.session in a worker: made afresh for each turn that asks for it, saved at the turn's end.

A page's socket lives for hours, and other tabs write to the same session meanwhile. So a save reloads what is stored,
under a lock where the engine has one, and applies only those keys that this turn set or deleted.
"""

import copy
import functools
import threading
import time
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import connections, router, transaction

from .. import tickets
from ..session_engine import is_in_cookies, store_class
from .turn import MOUNT, Turn

_EXPIRY = "_session_expiry"  # where Django keeps what set_expiry() said
_MISSING = object()
_LOCKS = [threading.Lock() for _ in range(64)]  # of this process; an engine without transactions has no other


class TurnSession:
    """Mixed into the SessionStore of SESSION_ENGINE. expiry_changed: set_expiry() was called since it was loaded."""

    _base: dict[str, Any] | None = None  # what was loaded; None: nothing was
    _expiry: Any = _MISSING
    _troupe_turn: Turn | None = None

    def load(self: Any) -> Any:
        """See SessionBase."""
        return self._loaded(super().load())  # type: ignore[misc]

    async def aload(self: Any) -> Any:
        """See SessionBase, from Django 5.1 on."""
        return self._loaded(await super().aload())  # type: ignore[misc]

    def _loaded(self, data: dict[str, Any]) -> dict[str, Any]:
        self._base = _copy(data)
        self._expiry = data.get(_EXPIRY, _MISSING)
        return data

    @property
    def expiry_changed(self: Any) -> bool:
        return bool(self._session.get(_EXPIRY, _MISSING) != self._expiry)

    def save(self: Any, must_create: bool = False) -> None:
        """See SessionBase. Merges with what is stored by now. UpdateError: it was deleted meanwhile."""
        if self._troupe_turn is not None and self._troupe_turn.kind != MOUNT and is_in_cookies():
            raise RuntimeError(
                f"SESSION_ENGINE {settings.SESSION_ENGINE!r} keeps sessions in cookies, which an event cannot set: use "
                "another engine, or return redirect() to an ordinary view that writes to the session"
            )
        if must_create or self.session_key is None:
            self._check_exchange()
        if must_create or self.session_key is None or is_in_cookies():
            super().save(must_create)  # type: ignore[misc]
        elif hasattr(self, "model"):
            with transaction.atomic(using=router.db_for_write(self.model)):
                self._merge(self._locked_row())
                super().save()  # type: ignore[misc]
        else:
            with _LOCKS[hash(self.session_key) % len(_LOCKS)]:
                self._merge(self._stored())
                super().save()  # type: ignore[misc]
        self._base = _copy(self._session_cache)

    async def asave(self: Any, must_create: bool = False) -> None:
        """See save()."""
        await sync_to_async(self.save)(must_create)

    def cycle_key(self: Any) -> None:
        """See SessionBase. The new session has what other tabs wrote to the old one meanwhile."""
        self._check_exchange()
        if self.session_key is not None and not is_in_cookies() and self._session:
            self._merge(self._stored())
        super().cycle_key()  # type: ignore[misc]

    async def acycle_key(self: Any) -> None:
        """See cycle_key()."""
        await sync_to_async(self.cycle_key)()

    def flush(self: Any) -> None:
        """See SessionBase."""
        self._check_exchange()
        super().flush()  # type: ignore[misc]

    async def aflush(self: Any) -> None:
        """See SessionBase, from Django 5.1 on."""
        await sync_to_async(self.flush)()

    def _check_exchange(self: Any) -> None:
        """RuntimeError: the browser would need another cookie, and cannot get it."""
        turn = self._troupe_turn
        if turn is not None and turn.view is not None and turn.kind != MOUNT:
            check_exchange(turn.view.request)

    def _locked_row(self: Any) -> dict[str, Any]:
        """The contents of the session's row, which nobody else changes before the transaction ends."""
        using = router.db_for_write(self.model)
        rows = self.model.objects.using(using).filter(session_key=self.session_key)
        if connections[using].features.has_select_for_update:
            row = rows.select_for_update().first()
        else:  # SQLite: a transaction that begins by reading may be refused when it wants to write
            row = rows.first() if rows.update(session_key=self.session_key) else None
        if row is None:
            raise UpdateError
        return self.decode(row.session_data)

    def _stored(self: Any) -> dict[str, Any]:
        fresh = store_class()(self.session_key)
        contents = fresh.load()
        if fresh.session_key is None:
            raise UpdateError
        return contents

    def _merge(self: Any, stored: dict[str, Any]) -> None:
        mine, base = self._session, self._base or {}
        for key in {*mine, *base}:
            if key not in mine:
                stored.pop(key, None)
            elif key not in base or base[key] != mine[key]:
                stored[key] = mine[key]
        self._session_cache = stored


def _copy(data: dict[str, Any]) -> dict[str, Any]:
    """What later changes inside of its values do not reach. Values that cannot be copied count as changed."""
    try:
        return copy.deepcopy(data)
    except Exception:  # pickled sessions hold anything
        return {}


@functools.cache
def _class_of(engine: Any) -> Any:
    return type("SessionStore", (TurnSession, engine), {"__module__": __name__})


def make_session(key: str | None, turn: Turn) -> Any:
    """The session of a turn. Reads nothing yet."""
    session = _class_of(store_class())(key or None)
    session._troupe_turn = turn
    return session


def check_exchange(request: Any) -> None:
    """RuntimeError: the request's page has nowhere to exchange a ticket for cookies."""
    tickets.check_exchange(own_page=request._troupe_facts.get("route") is not None)


def cookie_is_due(request: Any, session: Any) -> bool:
    """Whether the browser needs the session's cookie again: the key or its expiry is another one, or a tenth of the
    cookie's time is over. Each event would need an exchange otherwise.
    """
    if session.session_key != (request._troupe_facts.get("session_key") or None) or session.expiry_changed:
        return True
    if session.get_expire_at_browser_close():
        return False
    return bool(time.time() - request._troupe_cookie_at > session.get_expiry_age() / 10)
